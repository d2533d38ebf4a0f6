/** The largest signed 32-bit integer, the type of a protobuf enum such as a module's number. */
export const MAX_INT32 = 2 ** 31 - 1;

/** The largest unsigned 32-bit integer, the type of a frame's length and most other numbers of the protocol. */
export const MAX_UINT32 = 2 ** 32 - 1;

/** The longest delay of a Node.js timer, in milliseconds; a longer one fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
