"""Runs commands one after another without each of them loading Flask anew: python -m uvlhub_commands --prepare imports what they
need, says READY and waits; python -m uvlhub_commands COMMAND... has a command run by the process that is prepared, in one of its
own that is forked from it, or becomes it where there is none.

Both know each other by UVLHUB_RUNNER_PROCESS, which UvlhubRunner's Toolbox sets: no other runner's commands come here."""

import json
import os
import select
import signal
import socket
import sys

import uvlhub_start

READY = "ready"
# In the kernel, not on a disk: it is gone with the process.
ADDRESS = f"\0uvlhub-commands-{os.environ.get('UVLHUB_RUNNER_PROCESS')}"


def open_socket():
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def prepare():
    import uvlhub_imports

    with open_socket() as server:
        server.bind(ADDRESS)
        server.listen()
        uvlhub_imports.load_for_commands()
        if not can_fork():
            return
        print(READY, flush=True)
        while True:
            connection, _ = server.accept()
            with connection:
                child = os.fork()
                if child == 0:
                    server.close()
                    take(connection)
                    sys.exit()
                watch(connection, child)


def can_fork():
    """Not what has begun a thread while it was imported, nor where the kernel or Python is too old to watch a child."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return len(os.listdir("/proc/self/task")) == 1


def watch(connection, child):
    """Until the command ends. If whoever wanted it is gone, it may not go on, and neither may what it has started."""
    ended = os.pidfd_open(child)
    events = select.poll()
    events.register(ended, select.POLLIN)
    events.register(connection, select.POLLRDHUP)
    if ended not in (number for number, _ in events.poll()):
        os.killpg(0, signal.SIGKILL)
    os.close(ended)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    connection.send(str(code if code >= 0 else 128 - code).encode())


def take(connection):
    """Becomes the command that comes over the connection, with the outputs of whoever sent it."""
    message, outputs, _, _ = socket.recv_fds(connection, 1 << 20, 2)
    connection.close()
    for number, output in enumerate(outputs, start=1):
        os.dup2(output, number)
        os.close(output)
    command, folder, environment = json.loads(message)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)

    import sitecustomize

    script = uvlhub_start.become(command)
    sitecustomize.note_a_command()
    uvlhub_start.run(script)


def hand_over(command):
    """Returns only where nobody takes it."""
    with open_socket() as connection:
        try:
            connection.connect(ADDRESS)
            socket.send_fds(connection, [json.dumps([command, os.getcwd(), dict(os.environ)]).encode()], [1, 2])
        except OSError:
            # Nobody is prepared, or the environment is more than the kernel takes at once.
            return
        try:
            answer = connection.recv(16)
        except ConnectionResetError:
            answer = None
    sys.exit(int(answer) if answer else 128 + signal.SIGKILL)


def main(words):
    if words == ["--prepare"]:
        prepare()
        return
    if uvlhub_start.python_script(words) is not None:
        hand_over(words)
    try:
        os.execvp(words[0], words)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
