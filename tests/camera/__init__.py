"""The recorder and what it stands on, held to their promises with real RTSP cameras."""
