"""What an AMI byte stream is made of: frames, messages, actions and channel names. Pure: no I/O, no clock."""
