def include_object(object, name, type_, reflected, compare_to):
    """What is in the database and in none of the models is the billing service's."""
    return not (reflected and compare_to is None)
