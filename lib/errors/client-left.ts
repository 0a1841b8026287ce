/**
 * The status, in log, metrics and audit, of a client that left before any head was sent: nobody saw
 * it. nginx's number, which log tools know.
 */
export const CLIENT_LEFT_STATUS = 499;
