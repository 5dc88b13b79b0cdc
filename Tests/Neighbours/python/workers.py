"""Twenty workers at once on some accounts, by every way in which another program takes units.

Its input is a JSON list of accounts; it prints what each account was charged: by the function, and by plain updates.
"""

import asyncio
import collections
import json
import random
import sys
import uuid

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlalchemy.orm import selectinload

from connection import async_engine
from models import Task, TaskLog, User
from units import consume

WORKERS = 20
TURNS = int(sys.argv[1])

accounts = [uuid.UUID(account) for account in json.load(sys.stdin)]
charged = collections.Counter()
written = collections.Counter()
refused = 0


async def run_task(session, account, units):
    """As the README has it: the task's row and its charge in one transaction."""
    task = Task(user_id=account, name="offers", config={})
    async with session.begin():
        session.add(task)
        await session.flush()
        left = await consume(session, account, units, task.id)
        # The second time it costs nothing.
        if left is not None and random.random() < 0.2:
            assert await consume(session, account, units, task.id) == left
        task.status = "failed" if left is None else "completed"
        session.add(TaskLog(task_id=task.id, level="info", message=f"{left} left"))
    return left is not None


async def write(session, account, units):
    async with session.begin():
        result = await session.execute(
            update(User)
            .where(User.id == account, User.compute_units_remaining >= units)
            .values(compute_units_remaining=User.compute_units_remaining - units)
        )
    return result.rowcount == 1


async def look(session, account):
    async with session.begin():
        user = await session.scalar(select(User).where(User.id == account).options(selectinload(User.tasks)))
        assert user.compute_units_remaining >= 0


async def worker(number, make_session):
    global refused
    dice = random.Random(number)
    for _ in range(TURNS):
        account, units = dice.choice(accounts), dice.randint(1, 4)
        kind = dice.choices(["consume", "write", "add", "look"], [6, 2, 1, 2])[0]
        async with make_session() as session:
            if kind == "consume":
                if await run_task(session, account, units):
                    charged[str(account)] += units
                else:
                    refused += 1
            elif kind == "write":
                if await write(session, account, units):
                    written[str(account)] -= units
            elif kind == "add":
                async with session.begin():
                    await session.scalar(select(func.add_compute_units(account, units, "gift")))
                written[str(account)] += units
            else:
                await look(session, account)


async def main():
    engine = async_engine(pool_size=WORKERS)
    make_session = async_sessionmaker(engine)
    await asyncio.gather(*(worker(number, make_session) for number in range(WORKERS)))
    await engine.dispose()


asyncio.run(main())
print(json.dumps({"charged": charged, "written": written, "refused": refused}))
