"""What crosses Kafka: messages, topics, and the partition of a PBX. Pure: no I/O, no clock."""
