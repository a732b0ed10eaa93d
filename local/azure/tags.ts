import { AzureError } from "./errors";
import { readObject, readText } from "./json";

/** Limits of "Use tags to organize your Azure resources", https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations. */
const MAX_TAGS = 50;
const MAX_TAG_NAME_CHARS = 512;
const MAX_TAG_VALUE_CHARS = 256;
const FORBIDDEN_IN_TAG_NAME = /[<>%&\\?/]/;

/**
 * The `tags` of a request body; undefined when there are none.
 * @throws AzureError 400 InvalidTagName and the like for tags out of rule
 */
export function readTags(value: unknown): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined;
  const entries = Object.entries(readObject(value, "tags")).map(
    ([name, tag]) => [name, readText(tag, `tags.${name}`) ?? ""] as const,
  );
  if (entries.length > MAX_TAGS) {
    throw new AzureError(
      400,
      "TooManyTags",
      `Too many tags on the resource. Requested tag count - '${entries.length}'. Maximum number of tags allowed - '${MAX_TAGS}'.`,
    );
  }
  for (const [name, tag] of entries) {
    if (name === "" || name.length > MAX_TAG_NAME_CHARS || FORBIDDEN_IN_TAG_NAME.test(name)) {
      throw new AzureError(
        400,
        "InvalidTagNameCharacters",
        `The tag names '${name}' have reserved characters '<,>,%,&,\\,?,/' or control characters.`,
      );
    }
    if (tag.length > MAX_TAG_VALUE_CHARS) {
      throw new AzureError(
        400,
        "InvalidTagValue",
        `The tag value of '${name}' exceeds the maximum length of ${MAX_TAG_VALUE_CHARS} characters.`,
      );
    }
  }
  return Object.fromEntries(entries);
}
