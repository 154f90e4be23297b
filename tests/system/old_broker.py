"""old_broker.py PORT FILE: a broker that only speaks MQTT 3.1.1: what a client says of itself first is looked at, as such a broker does
(MQTT 3.1.1, 3.1.2.2: CONNACK with code 1 and the end), and all the rest is the real broker's at PORT. The first line of FILE is where
it listens; then a line for each connection."""
import asyncio
import sys

target, path = int(sys.argv[1]), sys.argv[2]


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def serve(reader, writer):
    try:
        head = await reader.readexactly(2)
        while head[-1] & 0x80:
            head += await reader.readexactly(1)
        head += await reader.readexactly(7)  # length and name of the protocol, level
    except asyncio.IncompleteReadError:
        writer.close()
        return
    level = head[-1]
    with open(path, "a") as f:
        f.write(f"{'passed' if level <= 4 else 'refused'} {level}\n")
    if level > 4:
        writer.write(bytes([0x20, 2, 0, 1]))
        await writer.drain()
        writer.close()
        return
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
    far_writer.write(head)
    await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    with open(path, "w") as f:
        f.write(f"{server.sockets[0].getsockname()[1]}\n")
    await server.serve_forever()


asyncio.run(main())
