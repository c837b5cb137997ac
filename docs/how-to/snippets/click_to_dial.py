"""Ring a phone, and dial a number for it when it answers: click_to_dial.py PBX PJSIP/201 90555123."""

import asyncio
import sys

from legbook.client import Client


async def main(pbx: str, phone: str, number: str) -> int:
    async with Client(issuer="crm") as client:
        result = await client.originate(
            pbx, phone, number, context="from-internal", actor="alice", ring=20, caller_name="Click to dial"
        )
    print(result.state, result.reason or "", result.message)
    return 0 if result.state == "done" else 1  # the call's legs have linkedid = result.command_id


sys.exit(asyncio.run(main(*sys.argv[1:])))
