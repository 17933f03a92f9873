"""The link's facts: events up, acknowledgements and documents down, over one connection.

Owns the carrying out of what ``sync.delivery`` decides. Reads events as they are stored and
sends their bytes unchanged.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from itertools import islice

from edge import queries, requests, timekeeping
from edge.box import BoxService
from edge.clock import monotonic, possible
from edge.events import AnchorReceived
from edge.ledger import SOFTWARE
from edge.signing import signed
from sync import delivery, messages, replica, wire
from sync.cursor import Cursor
from sync.delivery import Compare, Delivery, Greet, Part, Send, State, Wait
from sync.errands import Errands
from sync.letters import Letters
from sync.line import Line
from sync.messages import (
    BATCH_EVENTS,
    EVENTS,
    HELLO,
    SPEAKS,
    Ack,
    Ancestor,
    Anchor,
    BadMessage,
    Compared,
    Document,
    Held,
    Hello,
    Point,
    Receipt,
    Record,
    Refused,
    Request,
    topic,
)
from sync.post import Post
from sync.safekeeping import Safekeeping
from sync.timekeeping import Asked

log = logging.getLogger("classbox")

# Messages sent before the next look at what has come: an acknowledgement must not wait long.
_AT_ONCE = 4


class Facts:
    """The replication of the box's ledger."""

    def __init__(
        self,
        service: BoxService,
        cursor: Cursor,
        line: Line,
        fell_back: Callable[[], None],
        letters: Letters,
        live_view: Callable[[requests.Request], None],
    ) -> None:
        """*fell_back* is called when the centre turns out to have lost what it held.

        *live_view*: see ``Errands``.
        """
        self._service = service
        self._ledger = service.ledger
        self._cursor = cursor
        self._line = line
        self._fell_back = fell_back
        self._box = service.config.box_id
        # Answers to the hellos of an earlier process are not ours.
        self._token = secrets.token_hex(4)
        self.acked_at = 0  # wall time of the last acknowledgement, 0 before the first
        self._refusal = ""
        self._asked = Asked()
        self._centre_speaks: tuple[str, ...] = ()
        self._lineage = self._ledger.lineage()
        self._remembered = cursor.acked
        self._letters = letters
        self._post = Post(service.ledger, service.config, self._letters)
        self.errands = Errands(
            service.ledger, service.media, cursor, letters, self._begin_anew, live_view
        )
        self._documents_anew = False
        self.safe = Safekeeping(self._ledger, cursor, lambda: self._letters.centre_key)
        self.delivery = Delivery(acked=self._remembered)
        self.look()

    @property
    def online(self) -> bool:
        """Whether there is a connection to the broker."""
        return self.delivery.state is not State.OFFLINE

    @property
    def reached(self) -> bool:
        """Whether the centre itself answers, not merely the broker."""
        return self.delivery.state is State.STREAMING

    @property
    def waiting(self) -> bool:
        """Whether an event that may travel is not acknowledged yet."""
        return self.reached and self.delivery.head > self.delivery.acked

    @property
    def problem(self) -> str:
        """What keeps facts from flowing though there is a connection, in words."""
        if self.delivery.state is State.COMPARING:
            return "the centre holds other records than this ledger: finding where both part"
        if self.delivery.state is State.ASKING and self.delivery.hello > 0:
            return "the centre does not answer"
        return self._refusal

    def look(self) -> None:
        """Take note of how far the ledger has grown."""
        self.delivery = delivery.grown(self.delivery, self._ledger.head()[0])

    def connected(self, now: float) -> None:
        """A connection stands."""
        self.delivery = delivery.connected(self.delivery, now)

    def lost(self) -> None:
        """The connection is gone."""
        self.delivery = delivery.lost(self.delivery)

    def step(self, now: float) -> None:
        """Send what may go now."""
        self.delivery = delivery.ticked(self.delivery, now)
        self._ask_what_is_safe(now)
        self.errands.step(now)
        self._post.step(now)
        for _ in range(_AT_ONCE):
            what = delivery.step(self.delivery, now)
            match what:
                case Greet():
                    done = self._greet(what, now)
                case Send():
                    done = self._send(what, now)
                case Compare():
                    done = self._compare(what, now)
                case Part():
                    done = self._part(what, now)
                case Wait():
                    return
            if not done:
                return  # the connection is gone; that it is will arrive in a moment

    def hear(self, topic_text: str, payload: bytes, now: float) -> None:
        """Deal with a message from the centre. Raises BadMessage when it is none of ours."""
        if not payload:
            return  # a retained message was taken back
        message = wire.decode(payload)
        match message:
            case Document():
                self._post.take(message)
            case Ack() | Refused() | Compared():
                self._told(message, now)
            case Anchor():
                self._anchored(message)
            case Request():
                self.errands.take(message)
            case Receipt():
                self.safe.take(message, now)
            case _:
                raise BadMessage(f"{type(message).__name__} does not belong on {topic_text}")

    def remember(self) -> None:
        """Store the cursor when it has moved."""
        if self.delivery.acked != self._remembered:
            self._cursor.note_acked(self.delivery.acked)
            self._remembered = self.delivery.acked

    def _told(self, message: Ack | Refused | Compared, now: float) -> None:
        """Hear how far the centre is, or what it objects to."""
        compares = "compare" in self._centre_speaks
        held = self.delivery.acked
        self.delivery = replica.hear(
            self.delivery, message, self._lineage, self._token, compares, now
        )
        if isinstance(message, Ack):
            self.acked_at = self._service.clock.now().at
        if self.delivery.acked < held:
            self._fell_back()
        match message:
            case Ack() if replica.own(message.answer, self._token) is not None:
                self._letters.meet(message.centre_key)
                self._centre_speaks = message.speaks
                self._refusal = ""
                if possible(message.at):
                    self._learn_the_time(message)
                    self.errands.hear_time(message.at)
            case Refused():
                if message.text != self._refusal:
                    log.error("link: the centre refuses this ledger: %s", message.text)
                self._refusal = message.text

    def _learn_the_time(self, answer: Ack) -> None:
        """Take the centre's time, unless the machine's own clock is synchronised."""
        clock = self._service.clock
        number = replica.own(answer.answer, self._token)
        if number is None or clock.disciplined():
            return
        measured = self._asked.measured(number, answer, clock.now().mono)
        if measured is not None and timekeeping.learn(self._ledger, clock, *measured, "centre"):
            log.info("link: the time is the centre's, to within %d ms", measured[1] // 1000)

    def _anchored(self, anchor: Anchor) -> None:
        """Keep the centre's signature under this chain as a fact of the ledger."""
        replica.end_of(self._lineage, anchor.ledger)
        key = self._letters.centre_key
        if not signed(key, wire.signed_part(anchor), anchor.signature):
            raise BadMessage("an anchor that is not signed by the centre that this box obeys")
        if self._ledger.hash_at(anchor.seq) != anchor.hash:
            raise BadMessage(f"an anchor of another event {anchor.seq} than this ledger's")
        if anchor.seq <= self._ledger.anchored(anchor.ledger):
            return
        self._ledger.append(
            AnchorReceived(
                ledger=anchor.ledger,
                seq=anchor.seq,
                hash=anchor.hash.hex(),
                at=anchor.at,
                key=key.hex(),
                signature=anchor.signature.hex(),
            ),
            event_id=f"anchor-{anchor.ledger}-{anchor.seq}",
        )

    def _greet(self, what: Greet, now: float) -> bool:
        reading = self._service.clock.now()
        head, head_hash = self._ledger.head()
        with self._ledger.store.read() as connection:
            in_force = queries.documents_in_force(connection)
        hello = Hello(
            id=f"{self._token}.{what.number}",
            ledger=self._lineage.ledger,
            head=head,
            head_hash=head_hash,
            acked=self.delivery.acked,
            public_key=self._ledger.public_key,
            sealing_key=self._letters.public_key,
            at=reading.at,
            clock=reading.clock,
            software=SOFTWARE,
            media_waiting=self._cursor.media_waiting(),
            # What the centre has lost since is not safe, whatever it signed before.
            safe=min(self._cursor.safe(self._lineage.ledger), self.delivery.acked),
            anchored=self._ledger.anchored(self._lineage.ledger),
            documents={
                row["kind"]: Held(row["epoch"], row["version"])
                for row in in_force
                if not self._documents_anew
            },
            lineage=tuple(Ancestor(*older) for older in self._lineage.ancestors()),
            speaks=SPEAKS,
        )
        hello = replace(hello, signature=self._ledger.sign(wire.signed_part(hello)))
        if not self._line.publish(topic(self._box, HELLO), wire.encode(hello)):
            return False
        self._asked = self._asked.greeted(what.number, reading.mono)
        self.delivery = delivery.greeted(self.delivery, what.number, now)
        self._documents_anew = False
        return True

    def _begin_anew(self) -> None:
        """Ask the centre again how far it is, as after a new connection, and for every document."""
        self._documents_anew = True
        if self.online:
            self.delivery = delivery.connected(self.delivery, monotonic())

    def _ask_what_is_safe(self, now: float) -> None:
        if not self.reached or "receipt" not in self._centre_speaks:
            return
        ask = self.safe.question(now, self._lineage.ledger)
        if ask is not None and self._line.publish(topic(self._box, HELLO), wire.encode(ask)):
            self.safe.asked(ask, now)

    def _send(self, what: Send, now: float) -> bool:
        stretch = self._lineage.at(what.after + 1)
        ends = self._lineage.ends(stretch.ledger)
        most = BATCH_EVENTS if ends is None else min(BATCH_EVENTS, ends - what.after)
        # Read one by one, and closed before anything is sent: how many fit shows as they come.
        with closing(self._ledger.following(what.after)) as found:
            records = (Record(one.event, one.salt, one.body) for one in islice(found, most))
            payload, count = wire.encode_batch(stretch.ledger, what.after, records)
        if not self._line.publish(topic(self._box, EVENTS), payload):
            return False
        self.delivery = delivery.sent(self.delivery, what.after + count, now)
        return True

    def _compare(self, what: Compare, now: float) -> bool:
        ledger = replica.known_as(self.delivery, self._lineage)
        points = tuple(
            Point(seq, digest) for seq in what.seqs if (digest := self._ledger.hash_at(seq))
        )
        question = messages.Compare(f"{self._token}.{what.number}", ledger, points)
        if not self._line.publish(topic(self._box, HELLO), wire.encode(question)):
            return False
        self.delivery = delivery.questioned(self.delivery, what.number, now)
        return True

    def _part(self, what: Part, now: float) -> bool:
        name = self._ledger.branch(what.base)
        self._lineage = self._ledger.lineage()
        log.warning(
            "link: the centre holds other events than this ledger behind event %d: it goes on as "
            "ledger %s; nothing is overwritten, and the centre's staff are told",
            what.base,
            name,
        )
        self.look()
        self.delivery = delivery.branched(self.delivery, now)
        return True
