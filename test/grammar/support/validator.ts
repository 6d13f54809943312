/** ajv as the oracle of schemas. */
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";

/** Whether a value satisfies the schema; undefined where ajv itself fails on it. */
export type Validator = (value: unknown) => boolean | undefined;

/** Undefined if ajv refuses the schema. */
export function validatorOf(schema: unknown): Validator | undefined {
  const ajv = new Ajv2020({ strict: false, multipleOfPrecision: 10, logger: false });
  formats.default(ajv);
  try {
    const validate = ajv.compile(schema as object);
    return (value) => {
      try {
        return validate(value);
      } catch {
        // It overflows the stack on schemas that refer to themselves, for example.
        return undefined;
      }
    };
  } catch {
    return undefined;
  }
}
