"""A relay in front of a server, which does to artifacts what networks do, and counts.

relay.py LISTEN:PORT TARGET-PORT FOLDER: forwards connections to 127.0.0.1:TARGET-PORT. FOLDER/plan holds words like
"rate=8000000 cut=5000000", read anew for every connection that asks for an artifact:

  rate=N   no more than N bytes a second
  delay=S  each piece S seconds late, in both directions
  cut=N    closes the connection after N bytes
  hole=N   after N bytes nothing more comes, and nothing is closed
  drip=N   the first N connections give a byte now and then
  fail=N   the first N connections are answered with 503
  once     of cut and hole: the first connection only

FOLDER/served and FOLDER/asked hold bytes of artifacts that were given so far, and how often one was asked for.
"""

import asyncio
import os
import socket
import sys

PIECE = 16 * 1024
BUFFER = 64 * 1024  # what the kernel may hold of it, so that little is counted that does not arrive

host, port = sys.argv[1].rsplit(":", 1)
target = int(sys.argv[2])
folder = sys.argv[3]
served = asked = since_plan = 0
last_plan = None


def note(name, value):
    with open(os.path.join(folder, name + ".new"), "w") as f:
        f.write(str(value))
    os.rename(os.path.join(folder, name + ".new"), os.path.join(folder, name))


def plan():
    global last_plan, since_plan
    try:
        with open(os.path.join(folder, "plan")) as f:
            text = f.read()
    except FileNotFoundError:
        text = ""
    if text != last_plan:
        last_plan, since_plan = text, 0
    since_plan += 1
    p = {k: float(v or 1) for k, _, v in (w.partition("=") for w in text.split())}
    if since_plan > 1 and "once" in p:
        p.pop("cut", None)
        p.pop("hole", None)
    return p


async def forever():
    await asyncio.Event().wait()


async def give(reader, writer, p):
    """The server's answer, spoiled."""
    global served
    given, began = 0, asyncio.get_event_loop().time()
    while piece := await reader.read(PIECE):
        if "delay" in p:
            await asyncio.sleep(p["delay"])
        if since_plan <= p.get("drip", 0):
            writer.write(piece[:1])
            await writer.drain()
            await forever()
        room = min(p.get("cut", len(piece) + given), p.get("hole", len(piece) + given)) - given
        piece = piece[: int(room)]
        writer.write(piece)
        await writer.drain()
        given += len(piece)
        served += len(piece)
        note("served", served)
        if "hole" in p and given >= p["hole"]:
            await forever()
        if "cut" in p and given >= p["cut"]:
            return
        if "rate" in p:
            early = given / p["rate"] - (asyncio.get_event_loop().time() - began)
            await asyncio.sleep(max(early, 0))


async def forward(reader, writer, delay=0):
    while piece := await reader.read(PIECE):
        await asyncio.sleep(delay)
        writer.write(piece)
        await writer.drain()


async def answer(reader, writer):
    global asked
    head = await reader.readuntil(b"\r\n\r\n")
    p = {}
    if b" /artifacts/" in head.split(b"\r\n")[0]:
        asked += 1
        note("asked", asked)
        p = plan()
        if since_plan <= p.get("fail", 0):
            writer.write(b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        await asyncio.sleep(p.get("delay", 0))
    up_reader, up_writer = await asyncio.open_connection("127.0.0.1", target)
    try:
        up_writer.write(head)
        downward = give(up_reader, writer, p) if b" /artifacts/" in head else forward(up_reader, writer)
        ways = [asyncio.create_task(forward(reader, up_writer)), asyncio.create_task(downward)]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
    finally:
        up_writer.close()


async def serve(reader, writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    writer.transport.set_write_buffer_limits(high=0)
    try:
        await answer(reader, writer)
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main():
    note("served", 0)
    note("asked", 0)
    server = await asyncio.start_server(serve, host, int(port))
    note("port", server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


asyncio.run(main())
