"""A virtual RTSP camera, run as a program by Debian's own Python (which has GStreamer's bindings).

Owns one RTSP server on loopback that shows JPEG pictures as live H.264. Promises to print
``ready rtsp://127.0.0.1:PORT/main`` once it can be dialled, and to end with its parent: by the
kernel's parent-death signal, and when its standard input closes.

Every client sees the same running picture, as with a real camera. The password comes on standard
input, so that it stands in no process list.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import signal
import sys
from pathlib import Path
from typing import Any

import gi  # type: ignore[import-not-found]  # Debian's python3-gi, for Debian's Python only

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import (  # type: ignore[import-not-found]  # noqa: E402 - after require_version
    GLib,
    Gst,
    GstRtsp,
    GstRtspServer,
)

PR_SET_PDEATHSIG = 1
ROLE = "viewer"

VIDEO = (
    "appsrc name=pictures is-live=true do-timestamp=true format=time "
    "max-buffers=2 leaky-type=downstream "
    "caps=image/jpeg,framerate=0/1 ! jpegdec ! imagefreeze is-live=true allow-replace=true ! "
    "video/x-raw,framerate={rate}/1 ! queue ! videoscale ! videoconvert ! "
    "capsfilter name=size caps=video/x-raw,format=I420 ! {encoder}"
)
# A film that every new client rewinds for all who watch: time stamps jump back in mid-stream.
FILM = (
    "filesrc location={film} ! qtdemux ! h264parse name=encoder ! "
    "rtph264pay name=pay0 pt=96 config-interval=-1"
)
ENCODERS = {
    "h264": (
        "x264enc name=encoder tune=zerolatency speed-preset=ultrafast threads=1 {quality} "
        "key-int-max={key_frames} ! video/x-h264,profile=baseline ! h264parse ! "
        "rtph264pay name=pay0 pt=96 config-interval=-1"
    ),
    "h265": (
        "x265enc name=encoder tune=zerolatency speed-preset=ultrafast {quality} "
        "key-int-max={key_frames} ! h265parse ! rtph265pay name=pay0 pt=96 config-interval=-1"
    ),
    "mjpeg": "jpegenc name=encoder ! rtpjpegpay name=pay0 pt=26",
}
AUDIO = {
    "": "",
    "aac": (
        "audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=16000,channels=1 ! queue ! "
        "voaacenc ! aacparse ! rtpmp4gpay name=pay1 pt=97"
    ),
    "alaw": (
        "audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=8000,channels=1 ! queue ! "
        "alawenc ! rtppcmapay name=pay1 pt=8"
    ),
    "opus": (
        "audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=48000,channels=1 ! queue ! "
        "opusenc ! rtpopuspay name=pay1 pt=97"
    ),
    "mulaw": (
        "audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=8000,channels=1 ! queue ! "
        "mulawenc ! rtppcmupay name=pay1 pt=0"
    ),
}


class Reel:
    """The pictures that a client's pipeline is fed with, one after the other, for ever."""

    def __init__(self, folder: Path, pictures_per_second: float) -> None:
        """Read the pictures of *folder* into memory."""
        self.show(folder)
        self._period = round(1000 / pictures_per_second)
        self._next = 0

    def show(self, folder: Path) -> None:
        """Go on with the pictures of *folder*."""
        self._pictures = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
        if not self._pictures:
            raise SystemExit(f"{folder}: no *.jpg pictures to show")

    def feed(self, source: Any) -> None:
        """Push the pictures into *source* until its pipeline is gone."""
        self._push(source)
        GLib.timeout_add(self._period, self._push, source)

    def _push(self, source: Any) -> bool:
        picture = self._pictures[self._next % len(self._pictures)]
        self._next += 1
        flow = source.emit("push-buffer", Gst.Buffer.new_wrapped(picture))
        return bool(flow == Gst.FlowReturn.OK)


def protect(server: Any, factory: Any, user: str, password: str, method: str) -> None:
    """Ask every client for *user* and *password* by ``digest`` or ``basic``."""
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth = GstRtspServer.RTSPAuth()
    if method == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    role = Gst.Structure.new_from_string(
        f"{ROLE}, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"
    )
    factory.add_role_from_structure(role)


def greet(client: Any, encoders: list[Any], plays: Path | None) -> None:
    """Give *client* a key frame as soon as it plays, as most cameras do; write down when."""
    wish = "GstForceKeyUnit, all-headers=(boolean)true, count=(uint)0"

    def send_key_frame(*_: Any) -> None:
        structure = Gst.Structure.new_from_string(wish)
        event = Gst.Event.new_custom(Gst.EventType.CUSTOM_UPSTREAM, structure)
        encoders[-1].get_static_pad("src").send_event(event)
        if plays is not None:
            with plays.open("a", encoding="ascii") as lines:
                lines.write(f"{GLib.get_real_time()}\n")

    client.connect("play-request", send_key_frame)


def deny_seeking(_pad: Any, info: Any) -> Any:
    """Leave the question whether one can seek unanswered.

    Live sources say yes nevertheless; the second client's PLAY would then seek, and fail.
    """
    asked = info.get_query().type
    return Gst.PadProbeReturn.DROP if asked == Gst.QueryType.SEEKING else Gst.PadProbeReturn.OK


def hold(media: Any) -> bool:
    """Keep *media* running when its last client leaves.

    A new client that comes while the media is being torn down would get 503, or nothing.
    """
    media.prepare(None)
    return False


def obey(line: str, pipelines: list[Any], reel: Reel) -> None:
    """Carry out an order from standard input.

    ``{"width": …, "height": …}`` of the picture, or ``{"pictures": FOLDER}``: show these.
    """
    order = json.loads(line)
    if "pictures" in order:
        reel.show(Path(order["pictures"]))
        return
    size = f"video/x-raw,format=I420,width={order['width']},height={order['height']}"
    for pipeline in pipelines:
        pipeline.get_by_name("size").set_property("caps", Gst.Caps.from_string(size))


def launch_line(options: argparse.Namespace) -> str:
    """Return the pipeline's description in GStreamer's own language."""
    if options.film:
        return f"( {FILM.format(film=options.film)} )"
    quality = f"bitrate={options.kilobits}" if options.kilobits else "pass=quant quantizer=24"
    encoder = ENCODERS[options.codec].format(
        quality=quality, key_frames=round(options.rate * options.key_frame_seconds)
    )
    return f"( {VIDEO.format(rate=options.rate, encoder=encoder)} {AUDIO[options.audio]} )"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of *.jpg")
    parser.add_argument("--film", type=Path, help="an MP4 that each new client rewinds for all")
    parser.add_argument("--plays", type=Path, help="file for the times at which clients play")
    parser.add_argument("--port", default="0", help="0 takes a free one")
    parser.add_argument("--rate", type=int, default=10, help="frames a second")
    parser.add_argument("--pictures-per-second", type=float, default=1.0)
    parser.add_argument("--key-frame-seconds", type=float, default=1.0)
    parser.add_argument("--kilobits", type=int, default=1000, help="a second; 0: constant quality")
    parser.add_argument("--codec", choices=sorted(ENCODERS), default="h264")
    parser.add_argument("--audio", choices=sorted(AUDIO), default="")
    parser.add_argument("--auth", choices=("digest", "basic"), default="digest")
    parser.add_argument("--udp-only", action="store_true", help="refuse RTP over TCP")
    return parser.parse_args()


def main() -> None:
    """Serve until the parent is gone or closes standard input."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    options = arguments()
    login = json.loads(sys.stdin.readline() or "{}")
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch_line(options))
    factory.set_shared(True)
    if options.udp_only:
        factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    encoders: list[Any] = []
    pipelines: list[Any] = []
    reel = Reel(options.pictures, options.pictures_per_second)

    def configure(_factory: Any, media: Any) -> None:
        pipeline = media.get_element()
        if options.film:
            return
        reel.feed(pipeline.get_by_name("pictures"))
        encoders.append(pipeline.get_by_name("encoder"))
        pipelines.append(pipeline)
        for payloader in filter(None, map(pipeline.get_by_name, ("pay0", "pay1"))):
            pad = payloader.get_static_pad("src")
            pad.add_probe(Gst.PadProbeType.QUERY_UPSTREAM, deny_seeking)
        media.connect("prepared", lambda media: GLib.idle_add(hold, media))

    factory.connect("media-configure", configure)
    if not options.film:
        server.connect("client-connected", lambda _, client: greet(client, encoders, options.plays))
    if login.get("user"):
        protect(server, factory, login["user"], login["password"], options.auth)
    server.get_mount_points().add_factory("/main", factory)
    if server.attach(None) == 0:
        raise SystemExit(f"port {options.port} on 127.0.0.1 is taken")
    loop = GLib.MainLoop()

    def listen(_source: Any, condition: Any) -> bool:
        line = sys.stdin.readline() if condition & GLib.IOCondition.IN else ""
        if not line:
            loop.quit()
            return False
        obey(line, pipelines, reel)
        return True

    conditions = GLib.IOCondition.IN | GLib.IOCondition.HUP
    GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, conditions, listen)
    # Ctrl-C reaches everything in the terminal; this ends when whoever started it goes away.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(f"ready rtsp://127.0.0.1:{server.get_bound_port()}/main", flush=True)
    loop.run()


if __name__ == "__main__":
    main()
