def bind_command(*a):
    return None
