import json
import os

import httpx
from httpx_sse import connect_sse

url = f"{os.environ['BASE_URL']}/api/v1/events?chainIds=11155111&reputation=true"
headers = {"X-API-Key": os.environ["API_KEY"]}

with httpx.Client(timeout=None) as client:
    with connect_sse(client, "GET", url, headers=headers) as source:
        for event in source.iter_sse():
            if event.event == "connected":
                print("Connected to event stream", flush=True)
            if event.event == "reputation_change":
                data = json.loads(event.data)
                print(f"Reputation changed: {data['agentId']} -> {data['newScore']}", flush=True)
