/* Asks for X.509-SVIDs on a session of HTTP/2, without any library of SPIFFE's or gRPC's. */
"use strict";

exports.openX509Stream = (session) =>
  session
    .request({
      ":method": "POST",
      ":path": "/SpiffeWorkloadAPI/FetchX509SVID",
      "content-type": "application/grpc",
      te: "trailers",
      "workload.spiffe.io": "true",
    })
    // A gRPC message of no bytes.
    .end(Buffer.alloc(5));
