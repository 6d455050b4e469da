from spinup.launchers.base import Exited, Started
from spinup.scheduler.events import Begun, Ended, Outcome
from spinup.scheduler.inbox import Inbox
from spinup.scheduler.loop import run_schedule
from spinup.scheduler.state import Policy


class SlowCrew:
    """Prepares each run for longer than it may then take."""

    def __init__(self, inbox):
        self.inbox = inbox
        self.now_s = 0.0
        self.stopped = []

    def start(self, action, now_s):
        self.now_s += 100.0
        self.inbox.post(Started(action.run))
        self.inbox.post(Exited(action.run, 0))

    def stop(self, action):
        self.stopped.append(action.run)

    def hear(self, message, now_s):
        if isinstance(message, Started):
            return Begun(message.run, now_s)
        return Ended(message.run, Outcome.DONE, now_s)

    def record(self, action): ...

    def show(self, schedule): ...


def test_the_time_of_a_run_does_not_run_while_it_and_others_are_prepared():
    inbox = Inbox()
    crew = SlowCrew(inbox)
    policy = Policy(slots=4, timeout_s=1.0)
    schedule = run_schedule(policy, 4, crew, inbox, clock=lambda: crew.now_s)
    inbox.close()
    assert (schedule.done, crew.stopped) == (4, [])
