"""Every call of the package `openpanel` that the contract lists (7.3). Arguments: address, client id, secret."""

import asyncio
import sys

from openpanel import OpenPanel

url, client_id, secret = sys.argv[1:]
op = OpenPanel(client_id=client_id, client_secret=secret, api_url=url)
op.track("anon", {"a": 1})
op.set_global_properties({"app": "shop"})
op.identify("user123", {"firstName": "Ann", "email": "ann@doe.com", "tier": "premium", "properties": {"age": 30}})
op.track("known", {"b": None})
op.increment("1", "visits")
op.increment("1", "visits", 2)
op.decrement("1", "visits", 1)
op.alias("1", "a1")
op.clear()
op.track("cleared")
# Calls are sent one after the other by a thread of the client's: what is run there now comes after them all.
asyncio.run_coroutine_threadsafe(asyncio.sleep(0), op.loop).result()
