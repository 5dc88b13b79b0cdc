"""What a Python program does with the tables day by day, once with each driver; prints the account that it leaves."""

import asyncio
import datetime
import json
import sys
import uuid

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, joinedload, selectinload

from connection import async_engine, engine
from models import APIKey, SubscriptionPlan, Task, TaskLog, UsageAnalytics, User, UserSubscription


def create(session, email):
    user = User(email=email, full_name="Grace")
    session.add(user)
    session.flush()
    task = Task(
        user_id=user.id,
        name="offers",
        config={"target_url": "https://example.com/offers", "fields": [{"name": "price"}]},
    )
    session.add_all(
        [
            task,
            APIKey(user_id=user.id, name="laptop", key_hash=uuid.uuid4().hex * 2, key_prefix="sk_abcdef"),
            UserSubscription(user_id=user.id, plan_id="starter"),
            UsageAnalytics(user_id=user.id, date=datetime.date(2026, 1, 31), api_calls=3),
        ]
    )
    session.flush()
    session.add(TaskLog(task_id=task.id, level="info", message="made", details={"attempt": 1}))
    session.commit()
    return user.id


def read(session, user_id):
    session.expire_all()
    user = session.scalars(
        select(User)
        .where(User.id == user_id)
        .options(
            selectinload(User.tasks).selectinload(Task.logs),
            selectinload(User.api_keys),
            selectinload(User.usage),
            joinedload(User.subscriptions).joinedload(UserSubscription.plan),
        )
    ).unique().one()
    assert user.compute_units_remaining == 100 and user.subscription_tier == "free" and user.is_active
    assert user.created_at.tzinfo is not None and user.compute_units_reset_date > user.created_at
    assert [subscription.plan.name for subscription in user.subscriptions] == ["Starter"]
    assert user.usage[0].api_calls == 3 and user.usage[0].tasks_executed == 0
    assert [log.details for log in user.tasks[0].logs] == [{"attempt": 1}]
    plans = session.scalars(select(SubscriptionPlan).order_by(SubscriptionPlan.price_cents)).all()
    assert [plan.id for plan in plans] == ["free", "starter", "professional", "enterprise"]
    return user


def work(session, user):
    """Starts a task and ends it, and writes the units as an ORM does it, of what it has read under a lock."""
    task = user.tasks[0]
    task.status, task.started_at = "running", func.now()
    session.commit()
    before = task.updated_at
    task.status, task.completed_at, task.progress = "completed", func.now(), 100
    task.compute_units_consumed = 7
    session.add(TaskLog(task_id=task.id, level="info", message="done"))
    session.commit()
    assert task.updated_at >= before
    found = session.scalars(
        select(Task.id).where(Task.user_id == user.id, Task.config.contains({"fields": [{"name": "price"}]}))
    ).all()
    assert found == [task.id]
    locked = session.scalars(
        select(User).where(User.id == user.id).with_for_update().execution_options(populate_existing=True)
    ).one()
    locked.compute_units_remaining -= 7
    session.commit()
    session.execute(
        update(User).where(User.id == user.id).values(compute_units_remaining=User.compute_units_remaining - 3)
    )
    session.commit()


def delete(session, email):
    """An account with all that is its, by the database's own cascade."""
    user_id = create(session, email)
    session.expire_all()
    session.delete(session.get(User, user_id))
    session.commit()
    for table in (User, Task, APIKey, UserSubscription, UsageAnalytics):
        owner = table.id if table is User else table.user_id
        assert session.scalar(select(func.count()).select_from(table).where(owner == user_id)) == 0


def everyday(session):
    email = f"{uuid.uuid4()}@example.com"
    user_id = create(session, email)
    work(session, read(session, user_id))
    delete(session, "gone-" + email)
    return str(user_id)


async def with_asyncpg():
    async with AsyncSession(async_engine()) as session:
        return await session.run_sync(everyday)


def with_psycopg2():
    with Session(engine()) as session:
        return everyday(session)


print(json.dumps(asyncio.run(with_asyncpg()) if sys.argv[1] == "asyncpg" else with_psycopg2()))
