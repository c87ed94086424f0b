"""The other side of five_steps.py: DBOS Transact works off workflows of five trivial steps, in its own environment.

python dbos_steps.py postgresql://... seconds
"""

import json
import sys
import time

from dbos import DBOS, DBOSConfig  # type: ignore[import-not-found]

url, seconds = sys.argv[1], float(sys.argv[2])
config: DBOSConfig = {"name": "five-steps", "system_database_url": url, "log_level": "ERROR"}
DBOS(config=config)


@DBOS.step()
def step(number: int) -> str:
    return f"yes {number}"


@DBOS.workflow()
def five() -> int:
    for number in range(5):
        step(number)
    return 5


DBOS.launch()
five()
begun, processor, done = time.perf_counter(), time.process_time(), 0
while time.perf_counter() - begun < seconds:
    five()
    done += 1
told = {"name": "DBOS", "done": done, "seconds": time.perf_counter() - begun}
print(json.dumps({**told, "processor": time.process_time() - processor}), flush=True)
DBOS.destroy()
