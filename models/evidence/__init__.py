"""The models against published figures, and the pages of docs/models written from that."""
