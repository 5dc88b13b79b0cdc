"""The seven tables as a Python program declares them: the columns that it knows, and no other."""

import datetime
import uuid

from sqlalchemy import DateTime, ForeignKey, Index, String, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

Identifier = Mapped[uuid.UUID]
Moment = Mapped[datetime.datetime]


class Base(DeclarativeBase):
    type_annotation_map = {
        datetime.datetime: DateTime(timezone=True),
        dict: JSONB,
    }


def identifier():
    return mapped_column(primary_key=True, default=uuid.uuid4)


def owner(table="users"):
    return mapped_column(ForeignKey(f"{table}.id", ondelete="CASCADE"))


def now():
    return mapped_column(server_default=func.now())


def a_month_ahead():
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)


class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        Index("idx_users_email", "email", unique=True),
        Index("idx_users_google_id", "google_id", unique=True),
    )

    id: Identifier = identifier()
    email: Mapped[str] = mapped_column(String(255))
    full_name: Mapped[str | None] = mapped_column(String(255))
    google_id: Mapped[str | None] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    subscription_tier: Mapped[str] = mapped_column(String(50), default="free")
    compute_units_remaining: Mapped[int] = mapped_column(default=100)
    compute_units_reset_date: Moment = mapped_column(default=a_month_ahead)
    created_at: Moment = now()
    updated_at: Moment = mapped_column(server_default=func.now(), onupdate=func.now())

    tasks: Mapped[list["Task"]] = relationship(back_populates="user", passive_deletes=True, cascade="all, delete")
    subscriptions: Mapped[list["UserSubscription"]] = relationship(
        back_populates="user", passive_deletes=True, cascade="all, delete"
    )
    api_keys: Mapped[list["APIKey"]] = relationship(passive_deletes=True, cascade="all, delete")
    usage: Mapped[list["UsageAnalytics"]] = relationship(passive_deletes=True, cascade="all, delete")


class Task(Base):
    __tablename__ = "tasks"
    __table_args__ = (
        Index("idx_tasks_user_id", "user_id"),
        Index("idx_tasks_status", "status"),
        Index("idx_tasks_scheduled_at", "scheduled_at"),
        Index("idx_tasks_created_at", "created_at"),
        Index("idx_tasks_user_status", "user_id", "status"),
        Index("idx_tasks_user_created", "user_id", "created_at"),
    )

    id: Identifier = identifier()
    user_id: Identifier = owner()
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    task_type: Mapped[str] = mapped_column(String(50), default="simple_scraping")
    config: Mapped[dict]
    status: Mapped[str] = mapped_column(String(50), default="pending")
    priority: Mapped[int] = mapped_column(default=0)
    scheduled_at: Mapped[datetime.datetime | None]
    started_at: Mapped[datetime.datetime | None]
    completed_at: Mapped[datetime.datetime | None]
    compute_units_consumed: Mapped[int] = mapped_column(default=0)
    estimated_compute_units: Mapped[int] = mapped_column(default=1)
    progress: Mapped[int] = mapped_column(default=0)
    error_message: Mapped[str | None] = mapped_column(Text)
    result_file_path: Mapped[str | None] = mapped_column(String(500))
    created_at: Moment = now()
    updated_at: Moment = mapped_column(server_default=func.now(), onupdate=func.now())

    user: Mapped[User] = relationship(back_populates="tasks")
    logs: Mapped[list["TaskLog"]] = relationship(passive_deletes=True, cascade="all, delete")


class TaskLog(Base):
    __tablename__ = "task_logs"
    __table_args__ = (
        Index("idx_task_logs_task_id", "task_id"),
        Index("idx_task_logs_timestamp", "timestamp"),
    )

    id: Identifier = identifier()
    task_id: Identifier = owner("tasks")
    level: Mapped[str] = mapped_column(String(20))
    message: Mapped[str] = mapped_column(Text)
    # `metadata` is SQLAlchemy's own word.
    details: Mapped[dict | None] = mapped_column("metadata")
    timestamp: Moment = now()


class SubscriptionPlan(Base):
    __tablename__ = "subscription_plans"

    id: Mapped[str] = mapped_column(String(50), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(Text)
    monthly_compute_units: Mapped[int]
    max_concurrent_tasks: Mapped[int]
    price_cents: Mapped[int]
    lemon_squeezy_variant_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Moment = now()


class UserSubscription(Base):
    __tablename__ = "user_subscriptions"
    __table_args__ = (
        Index("idx_user_subscriptions_user_id", "user_id"),
        Index("idx_user_subscriptions_status", "status"),
        Index("idx_user_subscriptions_plan", "plan_id"),
    )

    id: Identifier = identifier()
    user_id: Identifier = owner()
    plan_id: Mapped[str] = mapped_column(String(50), ForeignKey("subscription_plans.id"))
    lemon_squeezy_subscription_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    status: Mapped[str] = mapped_column(String(50), default="active")
    current_period_start: Moment = now()
    current_period_end: Moment = mapped_column(default=a_month_ahead)
    cancel_at_period_end: Mapped[bool] = mapped_column(default=False)
    created_at: Moment = now()
    updated_at: Moment = mapped_column(server_default=func.now(), onupdate=func.now())

    user: Mapped[User] = relationship(back_populates="subscriptions")
    plan: Mapped[SubscriptionPlan] = relationship()


class APIKey(Base):
    __tablename__ = "api_keys"
    __table_args__ = (
        Index("idx_api_keys_key_hash", "key_hash"),
        Index("idx_api_keys_user_id", "user_id"),
        Index("idx_api_keys_user_active", "user_id", "is_active"),
    )

    id: Identifier = identifier()
    user_id: Identifier = owner()
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(String(500))
    key_hash: Mapped[str] = mapped_column(String(128))
    key_prefix: Mapped[str] = mapped_column(String(10))
    last_used_at: Mapped[datetime.datetime | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Moment = now()


class UsageAnalytics(Base):
    __tablename__ = "usage_analytics"
    __table_args__ = (Index("idx_usage_analytics_user_date", "user_id", "date", unique=True),)

    id: Identifier = identifier()
    user_id: Identifier = owner()
    date: Mapped[datetime.date]
    tasks_executed: Mapped[int] = mapped_column(default=0)
    compute_units_used: Mapped[int] = mapped_column(default=0)
    api_calls: Mapped[int] = mapped_column(default=0)
    created_at: Moment = now()
