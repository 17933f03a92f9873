"""An ONVIF device of our own on a loopback port, with the faults that real ones have.

Owns its server thread; promises to judge logins as cameras do: by WS-Security's digest, and by a
time stamp that must agree with the device's own clock. What it was told is in ``clock_offset``,
``encoder`` and ``osds``. For well-behaved cameras see ``tests.virtual_cameras.onvif`` (ipycam).
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from edge.clock import SystemClock

_SCHEMA = "http://www.onvif.org/ver10/schema"
_DEVICE = "http://www.onvif.org/ver10/device/wsdl"
_MEDIA = "http://www.onvif.org/ver10/media/wsdl"
_SKEW = timedelta(seconds=30)


@dataclass
class Encoder:
    """What the device's video encoder does."""

    encoding: str = "H264"
    width: int = 640
    height: int = 360
    frame_rate: int = 15
    gov: int = 100
    kilobits: int = 8192


@dataclass
class Osd:
    """A text that the device draws into its pictures."""

    token: str
    sort: str
    text: str = ""
    corner: str = "UpperLeft"


@dataclass
class Faults:
    """What is wrong with the device; the defaults are a good one.

    ``deaf``: takes connections and never answers. ``time_needs_login``: as some cameras do.
    ``keeps_clock``, ``keeps_encoder``: agrees to be set and does not do it. ``no_osd``,
    ``no_h264``: does not offer it. ``no_chinese``: texts become question marks.
    """

    deaf: bool = False
    time_needs_login: bool = False
    keeps_clock: bool = False
    keeps_encoder: bool = False
    no_osd: bool = False
    no_h264: bool = False
    no_chinese: bool = False


@dataclass
class OnvifDevice:
    """One device. ``clock_offset``: how far its clock is ahead of ours.

    *stream*: the RTSP address that it reports (its host is replaced by who dials it).
    """

    stream: str = "rtsp://192.168.1.64:554/main"
    serial: str = "DS-2CD2143G0-I20180801AAWRC31234567"
    user: str = "admin"
    password: str = "secret-of-device"
    clock_offset: timedelta = timedelta(0)
    faults: Faults = field(default_factory=Faults)
    encoder: Encoder = field(default_factory=Encoder)
    osds: list[Osd] = field(default_factory=list)
    zone: str = ""
    asked: list[str] = field(default_factory=list)
    refused: int = 0

    def __enter__(self) -> Self:
        """Serve; it can be dialled at ``address`` when this returns."""
        device = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                if device.faults.deaf:
                    device._gone.wait()
                    return
                length = int(self.headers["Content-Length"])
                status, content = device._answer(self.rfile.read(length).decode("utf-8"))
                self.send_response(status)
                self.send_header("Content-Type", "application/soap+xml; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return device._now().strftime("%a, %d %b %Y %H:%M:%S GMT")

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._gone = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving."""
        self._gone.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def address(self) -> str:
        """Where to dial it."""
        return f"onvif://127.0.0.1:{self._server.server_address[1]}"

    def _now(self) -> datetime:
        return datetime.fromtimestamp(SystemClock().now().at / 1e6, UTC) + self.clock_offset

    def _answer(self, soap: str) -> tuple[int, bytes]:
        body = re.split(r"<(?:[\w-]+:)?Body[^>]*>", soap)[-1]
        found = re.search(r"<(?:[\w-]+:)?(\w+)", body)
        call = found[1] if found else ""
        self.asked.append(call)
        free = call == "GetSystemDateAndTime" and not self.faults.time_needs_login
        if not free and not self._may(soap):
            self.refused += 1
            return 401, b""
        answer = getattr(self, f"_{call}", None)
        content = answer(body) if answer else None
        if content is None:
            return 500, _envelope(
                "<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason>"
                '<s:Text xml:lang="en">Optional Action Not Implemented</s:Text></s:Reason>'
                "</s:Fault>"
            )
        return 200, _envelope(content)

    def _may(self, soap: str) -> bool:
        parts = [_text(soap, name) for name in ("Username", "Nonce", "Created", "Password")]
        user, nonce, created, digest = parts
        if user != self.user or not created:
            return False
        stamp = datetime.fromisoformat(created.replace("Z", "+00:00"))
        stamp = stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
        if abs(stamp - self._now()) > _SKEW:
            return False
        secret = base64.b64decode(nonce) + created.encode() + self.password.encode()
        return base64.b64encode(hashlib.sha1(secret).digest()).decode() == digest

    def _GetSystemDateAndTime(self, body: str) -> str:
        now = self._now()
        return (
            f'<d:GetSystemDateAndTimeResponse xmlns:d="{_DEVICE}" xmlns:t="{_SCHEMA}">'
            "<d:SystemDateAndTime><t:DateTimeType>Manual</t:DateTimeType>"
            "<t:DaylightSavings>false</t:DaylightSavings><t:UTCDateTime>"
            f"<t:Time><t:Hour>{now.hour}</t:Hour><t:Minute>{now.minute}</t:Minute>"
            f"<t:Second>{now.second}</t:Second></t:Time><t:Date><t:Year>{now.year}</t:Year>"
            f"<t:Month>{now.month}</t:Month><t:Day>{now.day}</t:Day></t:Date></t:UTCDateTime>"
            "</d:SystemDateAndTime></d:GetSystemDateAndTimeResponse>"
        )

    def _SetSystemDateAndTime(self, body: str) -> str:
        names = ("Year", "Month", "Day", "Hour", "Minute", "Second")
        year, month, day, hour, minute, second = (int(_text(body, name)) for name in names)
        told = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        if not self.faults.keeps_clock:
            self.clock_offset += told - self._now()
            self.zone = _text(body, "TZ")
        return f'<d:SetSystemDateAndTimeResponse xmlns:d="{_DEVICE}"/>'

    def _GetDeviceInformation(self, body: str) -> str:
        return (
            f'<d:GetDeviceInformationResponse xmlns:d="{_DEVICE}"><d:Manufacturer>Acme'
            "</d:Manufacturer><d:Model>Eye 4</d:Model><d:FirmwareVersion>1.2</d:FirmwareVersion>"
            f"<d:SerialNumber>{self.serial}</d:SerialNumber><d:HardwareId>7</d:HardwareId>"
            "</d:GetDeviceInformationResponse>"
        )

    def _GetNetworkInterfaces(self, body: str) -> str:
        return (
            f'<d:GetNetworkInterfacesResponse xmlns:d="{_DEVICE}" xmlns:t="{_SCHEMA}">'
            '<d:NetworkInterfaces token="eth0"><t:Enabled>true</t:Enabled><t:Info><t:Name>eth0'
            "</t:Name><t:HwAddress>44-19-B6-00-11-22</t:HwAddress></t:Info></d:NetworkInterfaces>"
            "</d:GetNetworkInterfacesResponse>"
        )

    def _GetCapabilities(self, body: str) -> str:
        port = self._server.server_address[1]
        return (
            f'<d:GetCapabilitiesResponse xmlns:d="{_DEVICE}" xmlns:t="{_SCHEMA}"><d:Capabilities>'
            f"<t:Media><t:XAddr>http://192.168.1.64:{port}/onvif/media</t:XAddr>"
            "<t:StreamingCapabilities/></t:Media></d:Capabilities></d:GetCapabilitiesResponse>"
        )

    def _GetProfiles(self, body: str) -> str:
        return (
            f'<m:GetProfilesResponse xmlns:m="{_MEDIA}" xmlns:t="{_SCHEMA}">'
            '<m:Profiles token="p1" fixed="true"><t:Name>main</t:Name>'
            '<t:VideoSourceConfiguration token="vs1"><t:Name>vs</t:Name><t:UseCount>1</t:UseCount>'
            "<t:SourceToken>s1</t:SourceToken>"
            '<t:Bounds x="0" y="0" width="1920" height="1080"/></t:VideoSourceConfiguration>'
            f'<t:VideoEncoderConfiguration token="ve1">{self._encoder()}'
            "</t:VideoEncoderConfiguration></m:Profiles></m:GetProfilesResponse>"
        )

    def _encoder(self) -> str:
        one = self.encoder
        h264 = (
            f"<t:H264><t:GovLength>{one.gov}</t:GovLength><t:H264Profile>Main</t:H264Profile></t:H264>"
            if one.encoding == "H264"
            else ""
        )
        return (
            f"<t:Name>ve</t:Name><t:UseCount>1</t:UseCount><t:Encoding>{one.encoding}</t:Encoding>"
            f"<t:Resolution><t:Width>{one.width}</t:Width><t:Height>{one.height}</t:Height>"
            "</t:Resolution><t:Quality>3</t:Quality><t:RateControl>"
            f"<t:FrameRateLimit>{one.frame_rate}</t:FrameRateLimit><t:EncodingInterval>1"
            f"</t:EncodingInterval><t:BitrateLimit>{one.kilobits}</t:BitrateLimit></t:RateControl>"
            f"{h264}<t:Multicast><t:Address><t:Type>IPv4</t:Type><t:IPv4Address>0.0.0.0"
            "</t:IPv4Address></t:Address><t:Port>0</t:Port><t:TTL>1</t:TTL><t:AutoStart>false"
            "</t:AutoStart></t:Multicast><t:SessionTimeout>PT60S</t:SessionTimeout>"
        )

    def _GetVideoEncoderConfigurationOptions(self, body: str) -> str:
        sizes = "".join(
            f"<t:ResolutionsAvailable><t:Width>{width}</t:Width><t:Height>{height}</t:Height>"
            "</t:ResolutionsAvailable>"
            for width, height in ((2560, 1440), (1920, 1080), (640, 360))
        )
        h264 = (
            ""
            if self.faults.no_h264
            else f"<t:H264>{sizes}<t:GovLengthRange><t:Min>1</t:Min><t:Max>250</t:Max>"
            "</t:GovLengthRange><t:FrameRateRange><t:Min>1</t:Min><t:Max>30</t:Max>"
            "</t:FrameRateRange><t:EncodingIntervalRange><t:Min>1</t:Min><t:Max>1</t:Max>"
            "</t:EncodingIntervalRange><t:H264ProfilesSupported>Main</t:H264ProfilesSupported>"
            "</t:H264>"
        )
        return (
            f'<m:GetVideoEncoderConfigurationOptionsResponse xmlns:m="{_MEDIA}" '
            f'xmlns:t="{_SCHEMA}"><m:Options><t:QualityRange><t:Min>1</t:Min><t:Max>6</t:Max>'
            f"</t:QualityRange>{h264}</m:Options></m:GetVideoEncoderConfigurationOptionsResponse>"
        )

    def _SetVideoEncoderConfiguration(self, body: str) -> str:
        if not self.faults.keeps_encoder:
            self.encoder = Encoder(
                _text(body, "Encoding"),
                int(_text(body, "Width")),
                int(_text(body, "Height")),
                int(_text(body, "FrameRateLimit")),
                int(_text(body, "GovLength")),
                int(_text(body, "BitrateLimit")),
            )
        return f'<m:SetVideoEncoderConfigurationResponse xmlns:m="{_MEDIA}"/>'

    def _GetStreamUri(self, body: str) -> str:
        return (
            f'<m:GetStreamUriResponse xmlns:m="{_MEDIA}" xmlns:t="{_SCHEMA}"><m:MediaUri>'
            f"<t:Uri>{escape(self.stream)}</t:Uri><t:InvalidAfterConnect>false"
            "</t:InvalidAfterConnect><t:InvalidAfterReboot>false</t:InvalidAfterReboot>"
            "<t:Timeout>PT0S</t:Timeout></m:MediaUri></m:GetStreamUriResponse>"
        )

    def _GetOSDs(self, body: str) -> str | None:
        if self.faults.no_osd:
            return None
        osds = "".join(
            f'<m:OSDs token="{one.token}"><t:VideoSourceConfigurationToken>vs1'
            f"</t:VideoSourceConfigurationToken><t:Type>Text</t:Type><t:Position><t:Type>{one.corner}"
            f"</t:Type></t:Position><t:TextString><t:Type>{one.sort}</t:Type>"
            f"<t:PlainText>{escape(one.text)}</t:PlainText></t:TextString></m:OSDs>"
            for one in self.osds
        )
        return (
            f'<m:GetOSDsResponse xmlns:m="{_MEDIA}" xmlns:t="{_SCHEMA}">{osds}</m:GetOSDsResponse>'
        )

    def _CreateOSD(self, body: str) -> str | None:
        if self.faults.no_osd:
            return None
        token = f"osd{len(self.osds) + 1}"
        self.osds.append(self._drawn(token, body))
        return (
            f'<m:CreateOSDResponse xmlns:m="{_MEDIA}"><m:OSDToken>{token}</m:OSDToken>'
            "</m:CreateOSDResponse>"
        )

    def _SetOSD(self, body: str) -> str:
        found = re.search(r'<(?:[\w-]+:)?OSD[^>]* token="([^"]*)"', body)
        token = found[1] if found else ""
        self.osds = [self._drawn(token, body) if one.token == token else one for one in self.osds]
        return f'<m:SetOSDResponse xmlns:m="{_MEDIA}"/>'

    def _drawn(self, token: str, body: str) -> Osd:
        text = _text(body, "PlainText")
        if self.faults.no_chinese:
            text = text.encode("ascii", "replace").decode("ascii")
        _, corner, sort = re.findall(r"<(?:[\w-]+:)?Type\b[^>]*>([^<]+)<", body)
        return Osd(token, sort, text, corner)


def _text(soap: str, name: str) -> str:
    found = re.search(rf"<(?:[\w-]+:)?{name}\b[^>]*>([^<]*)<", soap)
    return unescape(found[1]) if found else ""


def _envelope(body: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
