"""Takes commands from Kafka and issues AMI actions, each at most once."""
