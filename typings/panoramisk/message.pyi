class Message:
    success: bool
    event: str
    message: str
    reason: str
    response: str
    @classmethod
    def from_line(cls, line: str) -> Message | None: ...
    def __getattr__(self, name: str) -> str: ...
    def get(self, name: str, default: str = ...) -> str: ...
