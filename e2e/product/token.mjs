// Tokens of the shipped binary, signed by hand.

import { createHmac } from "node:crypto";

/** A secret for JWT_SECRET, long enough. */
export const SECRET = "thirty-two bytes that only this test knows";

/** A token for ten minutes, signed with `SECRET`. */
export function token(sub, role) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const body = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ sub, role, iat: now, exp: now + 600 })}`;
  return `${body}.${createHmac("sha256", SECRET).update(body).digest("base64url")}`;
}
