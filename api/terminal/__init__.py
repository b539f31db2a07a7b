"""The values of ``api/serializers`` as tables and trees for people in a terminal."""
