import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { unknownValue } from "@pulumi/pulumi/runtime/rpc";

/** A value as the engine and the provider exchange it: JSON, with UNKNOWN standing for "not known yet". */
export type PropertyValue =
  null | boolean | number | string | PropertyValue[] | { [key: string]: PropertyValue };

/** The inputs or outputs of one resource, by property name. */
export type PropertyMap = Record<string, PropertyValue>;

/** Stands for a value that is known only after a deployment; the string the Pulumi engine sends for it. */
export const UNKNOWN = unknownValue;

/** Marks a wrapped value (secret, asset, output…) in Pulumi's wire format; see "sdk/proto" in pulumi/pulumi. */
const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";

/** True for an object with named values, false for null, arrays and scalars. */
export function isPropertyMap(value: PropertyValue | undefined): value is PropertyMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Plain values out of a protobuf struct; an absent struct is an empty map. Keys whose value is null are left out, as
 * azure-native does.
 * @throws Error when a wrapped value arrives: this provider declares that it takes neither secrets nor assets, and a
 * secret taken as a plain value would come back as one and land in the state file.
 */
export function fromStruct(struct: Struct | undefined): PropertyMap {
  return struct ? readMap(struct.toJavaScript()) : {};
}

/** The protobuf struct of a map of plain values. */
export function toStruct(map: PropertyMap): Struct {
  return Struct.fromJavaScript(map);
}

function readMap(map: object): PropertyMap {
  if (SIGNATURE_KEY in map) {
    throw new Error(
      "The engine sent a secret or an asset to the stand-in for azure-native, which accepts neither.",
    );
  }
  const entries = Object.entries(map).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.map(([key, value]) => [key, readValue(value)]));
}

// Takes what Struct.toJavaScript() can give, whose own type says nothing ("any[] | {}").
function readValue(value: unknown): PropertyValue {
  if (Array.isArray(value)) return value.map(readValue);
  if (typeof value === "object" && value !== null) return readMap(value);
  return value as null | boolean | number | string;
}
