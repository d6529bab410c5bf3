"""A workload of py-spiffe: fetches, waits for a rotation, and fetches and validates a JWT-SVID. JSON lines."""

import json
import sys
import threading

from spiffe import WorkloadApiClient


def say(**line):
    print(json.dumps(line), flush=True)


with WorkloadApiClient() as client:
    try:
        first = client.fetch_x509_svid()
    except Exception as error:
        say(error=str(error))
        sys.exit(1)
    say(spiffeId=str(first.spiffe_id))

    updates = []
    twice = threading.Event()

    def on_update(context):
        updates.append(context.default_svid.leaf.serial_number)
        if len(set(updates)) == 2:
            twice.set()

    watch = client.stream_x509_contexts(on_update, lambda error: say(error=str(error)))
    say(rotated=twice.wait(15))
    watch.cancel()

    token = client.fetch_jwt_svid(audience={"db"})
    client.validate_jwt_svid(token.token, "db")
    client.fetch_x509_bundles()
    client.fetch_jwt_bundles()
    say(jwt=str(token.spiffe_id))
