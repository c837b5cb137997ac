"""What holds for every recording, however it is cut, repeated or mixed: a sample here, all with `make properties`."""
