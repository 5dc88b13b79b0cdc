from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError


async def consume(session, user_id, units, task_id):
    """Charges a task in the session's transaction, and tells what is left; None: fewer units were."""
    try:
        async with session.begin_nested():
            return await session.scalar(select(func.consume_compute_units(user_id, units, task_id)))
    except IntegrityError as error:
        if error.orig.pgcode != "23514":
            raise
        return None
