"""What an agent may be called, and what its autonomy levels mean."""

import re

AGENT_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}")
AUTONOMY = {
    0: "Observes",
    1: "Suggests, a person acts",
    2: "Acts within limits",
    3: "Acts, reports afterwards",
    4: "Acts unattended",
}
