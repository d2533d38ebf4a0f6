import { defineModule, text } from "../index.js";

/**
 * The transparent module, number 3: it hands text through as it is, for devices of any type. Its device roles and names
 * match `^[a-z0-9_]*$`. Until there is another, its command is the JSON string `"default_command"`, quotes included.
 *
 * @example
 * const command = await transparent.exchange(device, "Status 0"); // Ok('"default_command"')
 */
export const transparent = defineModule({ name: "transparent", number: 3, status: text(), command: text() });
