import pathlib
import sys

from alembic import context

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from connection import engine  # noqa: E402
from include_object import include_object  # noqa: E402
from models import Base  # noqa: E402

everything = "everything" in context.get_x_argument(as_dictionary=True)

with engine().connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=None if everything else include_object,
    )
    with context.begin_transaction():
        context.run_migrations()
