// Reads one JSON object a line, {secret, public, headers, body}, and prints one
// line for each: for every verifier its name, and "ok" or its error.
//
// secret is for the verifiers of Standard Webhooks and of Svix, which know v1 and
// pass over v1a. public is the base64 of an Ed25519 key, for Node's own crypto.
const crypto = require("crypto");
const publicVerifiers = { standardwebhooks: require("standardwebhooks").Webhook, svix: require("svix").Webhook };

function verifyV1a(key, body, headers) {
  const signed = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  const x = Buffer.from(key, "base64").toString("base64url");
  const publicKey = crypto.createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x } });
  const signatures = headers["webhook-signature"].split(" ").filter((s) => s.startsWith("v1a,"));
  if (!signatures.some((s) => crypto.verify(null, signed, publicKey, Buffer.from(s.slice(4), "base64")))) {
    throw new Error("no matching signature");
  }
}

for (const line of require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const { secret, public: key, headers, body } = JSON.parse(line);
  const checks = Object.entries(publicVerifiers).map(([name, Verifier]) => [name, () => new Verifier(secret).verify(body, headers)]);
  if (key) checks.push(["v1a", () => verifyV1a(key, body, headers)]);
  const said = checks.map(([name, check]) => {
    try {
      check();
      return `${name} ok`;
    } catch (err) {
      return `${name} ${err.message}`;
    }
  });
  console.log(said.join(", "));
}
