"""A program of somebody else's: liblo, the OSC library of most C and Python programs, told what to do on stdin.

A line of JSON is {"id", "call", "args"}; the answer is {"id", "value"}. What arrives is printed as
{"event": "message", "path", "types", "args"}. Arguments are pairs of type tag and value; blobs are lists of bytes.
"""

import ctypes
import json
import sys
import threading

import liblo

TCP = 4  # LO_TCP
say_lock = threading.Lock()


def say(line):
    with say_lock:
        print(json.dumps(line, default=list), flush=True)


def on_message(path, args, types):
    # The binding hands over I as infinity, which JSON lacks.
    kept = [None if tag == "I" else arg for tag, arg in zip(types, args)]
    say({"event": "message", "path": path, "types": types, "args": kept})


def message(path, args):
    made = liblo.Message(path)
    for tag, value in args:
        made.add((tag, bytes(value) if tag == "b" else tuple(value) if tag == "m" else value))
    return made


server = None


def open_server(proto, port):
    global server
    server = liblo.ServerThread(port, liblo.TCP if proto == "tcp" else liblo.UDP)
    server.add_method(None, None, on_message)
    server.start()
    return server.port


def send(url, path, args):
    """From a port of its own."""
    liblo.send(liblo.Address(url), message(path, args))


def send_from_server(url, path, args):
    """From the port that it listens on."""
    server.send(liblo.Address(url), message(path, args))


def bundle(url, delay, messages):
    """One bundle, for now (None) or so many seconds from now."""
    parts = [message(path, args) for path, args in messages]
    made = liblo.Bundle(*parts) if delay is None else liblo.Bundle(liblo.time() + delay, *parts)
    liblo.send(liblo.Address(url), made)


def c_library():
    """What the Python binding has no words for: SLIP, and bundles in bundles."""
    lo = ctypes.CDLL("liblo.so.7")
    for name in ("lo_address_new_with_proto", "lo_message_new", "lo_bundle_new"):
        getattr(lo, name).restype = ctypes.c_void_p
    return lo


class TimeTag(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_uint32), ("frac", ctypes.c_uint32)]


def c_message(lo, value):
    made = ctypes.c_void_p(lo.lo_message_new())
    lo.lo_message_add_float(made, ctypes.c_float(value))
    return made


def stream(port, slip, path, first, last):
    """Floats over one TCP connection, in either framing."""
    lo = c_library()
    address = ctypes.c_void_p(lo.lo_address_new_with_proto(TCP, b"127.0.0.1", str(port).encode()))
    lo.lo_address_set_stream_slip(address, 1 if slip else 0)
    for value in range(first, last + 1):
        made = c_message(lo, value)
        if lo.lo_send_message(address, path.encode(), made) < 0:
            raise IOError("liblo could not send over TCP")
        lo.lo_message_free(made)
    lo.lo_address_free(address)


def nested(url_port, outer, inner, value):
    """A bundle with a message and a bundle with another."""
    lo = c_library()
    at_once = TimeTag(0, 1)
    whole, part = (ctypes.c_void_p(lo.lo_bundle_new(at_once)) for _ in range(2))
    lo.lo_bundle_add_message(part, inner.encode(), c_message(lo, value))
    lo.lo_bundle_add_message(whole, outer.encode(), c_message(lo, value))
    lo.lo_bundle_add_bundle(whole, part)
    address = ctypes.c_void_p(lo.lo_address_new_with_proto(1, b"127.0.0.1", str(url_port).encode()))
    if lo.lo_send_bundle(address, whole) < 0:
        raise IOError("liblo could not send the bundle")


CALLS = {
    "open": open_server,
    "send": send,
    "sendFromServer": send_from_server,
    "bundle": bundle,
    "stream": stream,
    "nested": nested,
}

say({"event": "started"})
for line in sys.stdin:
    request = json.loads(line)
    try:
        say({"id": request["id"], "value": CALLS[request["call"]](*request["args"])})
    except Exception as error:
        say({"id": request["id"], "error": str(error)})
