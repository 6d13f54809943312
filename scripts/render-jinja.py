"""Fills in what Jinja2 makes of the test cases in test/tokenizer/jinja/*.json.

    python3 scripts/render-jinja.py test/tokenizer/jinja/*.json
    npx biome check --write test/tokenizer/jinja

Needs Python's jinja2 (3.1.6 made the files). The environment is that of transformers'
apply_chat_template: sandbox, trim_blocks, lstrip_blocks, loop controls, a plain tojson,
raise_exception, strftime_now and the generation block. A case has a `template` or the name
of a model's in models/, and its own variables besides those of its conversation and of all cases.
It gets `text`, or `error: true` where rendering raises. `now` is the clock: a local time as Date's constructor in JavaScript takes it.
"""

import copy
import datetime
import json
import pathlib
import sys

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        call = self.call_method("_body")
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def environment(now):
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda format: now.strftime(format)
    return env


def clock(parts):
    year, month, day, hour, minute, second, ms = parts + [1, 0, 0, 0, 0][len(parts) - 2 :]
    return datetime.datetime(year, month + 1, day, hour, minute, second, ms * 1000)


def render(case, content, folder):
    template = case.get("template")
    if template is None:
        template = (folder / "models" / (case["model"] + ".jinja")).read_text()
    conversation = content.get("conversations", {}).get(case.get("conversation"), {})
    variables = {**content.get("variables", {}), **conversation, **case.get("variables", {})}
    env = environment(clock(case.get("now", [2026, 6, 4])))
    return env.from_string(template).render(**copy.deepcopy(variables))


def main():
    for name in sys.argv[1:]:
        path = pathlib.Path(name)
        content = json.loads(path.read_text())
        for case in content["cases"]:
            case.pop("text", None)
            case.pop("error", None)
            try:
                case["text"] = render(case, content, path.parent)
            except Exception:
                case["error"] = True
        path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


main()
