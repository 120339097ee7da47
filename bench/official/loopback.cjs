// Loaded before the client (node --require): the blob host of bench/cacheservice.py is this machine.
// The client reads in parallel ranges only from names that end like this one.
"use strict";
const dns = require("node:dns");

const resolve = dns.lookup;

dns.lookup = function lookup(name, ...rest) {
  return resolve.call(dns, name.endsWith(".blob.core.windows.net") ? "127.0.0.1" : name, ...rest);
};
