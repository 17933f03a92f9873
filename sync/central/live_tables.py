"""The centre's table of live view; see ``sync.central.tables``, which names it with all others."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Text

from sync.central.columns import projection, text, whole

live_view = projection(
    "live_view",
    Column("box", Text, primary_key=True),
    Column("id", Text, primary_key=True, comment="of the request that asked for it"),
    text("camera", ""),
    text("lesson_id", ""),
    text("by", "who looked"),
    whole("started_at", "the box's time"),
    Column("ended_at", BigInteger, comment="the box's time; absent: it runs"),
    Column("frames", BigInteger, comment="pictures sent, -1 where that was forgotten"),
    Column("cause", Text, comment="why it ended, of edge.rules.live"),
    Index("live_view_by_lesson", "lesson_id"),
)
