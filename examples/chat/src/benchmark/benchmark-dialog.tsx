/** The dialog of the benchmark: runs it, shows the chart, hands it out. */

import type { Model } from "plm-wasm";
import { useEffect, useMemo, useState } from "preact/hooks";
import { Dialog } from "../interface/dialog.js";
import { Icon } from "../interface/icon.js";
import { explain } from "../model/explain.js";
import { measure, REPETITIONS } from "./measure.js";
import { chartOf, type Report, reportOf, textOf } from "./report.js";
import { savePng, saveSvg } from "./share.js";

interface BenchmarkProps {
  readonly model: Model;
  readonly name: string;
  readonly onClose: () => void;
}

/** The chart as an image, which no script of it can leave. */
function Chart({ report }: { report: Report }) {
  const url = useMemo(() => {
    return URL.createObjectURL(new Blob([chartOf(report)], { type: "image/svg+xml" }));
  }, [report]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return <img class="chart" src={url} alt={textOf(report)} width={560} height={250} />;
}

function Sharing({ report }: { report: Report }) {
  const [isCopied, setIsCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(textOf(report));
    setIsCopied(true);
  };
  const save = (as: (chart: string, name: string) => void) => () =>
    as(chartOf(report), "plm-benchmark");
  return (
    <div class="row">
      <button type="button" onClick={() => void copy().catch(() => {})}>
        <Icon name="copy" /> <span role="status">{isCopied ? "Copied" : "Copy as text"}</span>
      </button>
      <button type="button" onClick={save(saveSvg)}>
        <Icon name="save" /> SVG
      </button>
      <button type="button" onClick={save((chart, name) => void savePng(chart, name))}>
        <Icon name="save" /> PNG
      </button>
    </div>
  );
}

export function BenchmarkDialog({ model, name, onClose }: BenchmarkProps) {
  const [share, setShare] = useState<number>();
  const [report, setReport] = useState<Report>();
  const [failure, setFailure] = useState("");
  const [controller] = useState(() => new AbortController());
  useEffect(() => () => controller.abort(), [controller]);
  const run = async (): Promise<void> => {
    setFailure("");
    setReport(undefined);
    try {
      setReport(reportOf(model, name, await measure(model, controller.signal, setShare)));
    } catch (error) {
      if (!controller.signal.aborted) setFailure(explain(error));
    } finally {
      setShare(undefined);
    }
  };
  return (
    <Dialog title="Benchmark" onClose={onClose}>
      <p>
        Reads a prompt and writes an answer {REPETITIONS} times, after one round to warm up. Close
        other programs and keep this page in front.
      </p>
      <button type="button" class="primary" disabled={share !== undefined} onClick={run}>
        {report ? "Run again" : "Run"}
      </button>
      {share !== undefined && <progress aria-label="Measuring" value={share} />}
      {failure !== "" && <p role="alert">{failure}</p>}
      {report && <Chart report={report} />}
      {report && <pre class="figures-text">{textOf(report)}</pre>}
      {report && <Sharing report={report} />}
    </Dialog>
  );
}
