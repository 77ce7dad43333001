"""Visitors get 503 and a page that says why, not an error of the application's, while its database is being changed: the migrator
locks the application's account out while it puts a database back, and has taken its word for the schema away. nginx passes the
answer on, and where there is none it is the same."""

# MariaDB's ER_ACCOUNT_HAS_BEEN_LOCKED.
LOCKED = 4151
DRIVERS = {"pymysql", "MySQLdb", "mysql", "mariadb", "sqlalchemy"}
RETRY_AFTER = 3

PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta http-equiv="refresh" content="{RETRY_AFTER}">
  <title>The database is being put in order</title>
  <style>
    body {{ margin: 0; min-height: 100vh; display: grid; place-content: center; background: #f5f7f6; color: #1f2a2e; font: 16px/1.5 system-ui, sans-serif; text-align: center; }}
    p {{ margin: 0; color: #5d6b70; }}
  </style>
</head>
<body>
  <h1>The database is being put in order</h1>
  <p>What you have just sent may not have been saved. This page asks again every few seconds.</p>
</body>
</html>
"""


def prepare(flask):
    """Before the application's own handlers, which cannot know."""
    handle_user_exception, handle_exception = flask.Flask.handle_user_exception, flask.Flask.handle_exception
    do_teardown_appcontext = flask.Flask.do_teardown_appcontext

    def of_a_page(self, error):
        return _answer(self, error) if _is_unavailable(error) else handle_user_exception(self, error)

    def of_all_else(self, error):
        if _is_unavailable(error):
            return self.finalize_request(_answer(self, error), from_error_handler=True)
        return handle_exception(self, error)

    def of_an_end(self, *arguments, **options):
        try:
            do_teardown_appcontext(self, *arguments, **options)
        except Exception as error:
            # The answer is made, and holds: only the connection could not be given back.
            if not _is_unavailable(error):
                raise

    flask.Flask.handle_user_exception, flask.Flask.handle_exception = of_a_page, of_all_else
    flask.Flask.do_teardown_appcontext = of_an_end


def _answer(application, error):
    application.logger.warning("The migrator is changing the database, answered with 503: %s", error)
    return PAGE, 503, {"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"}


def _is_unavailable(error):
    errors = [cause for cause in _causes(error) if type(cause).__module__.partition(".")[0] in DRIVERS]
    return any(cause.args[:1] == (LOCKED,) for cause in errors) or bool(errors) and _is_being_changed()


def _causes(error):
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__
    return seen


def _is_being_changed():
    from uvlhub_start import Gate

    gate = Gate()
    try:
        return not gate.word()[0]
    except Exception as error:
        # Any other one is the application's matter, and so is a database that no migrator of ours has ever seen.
        return error.args[:1] == (LOCKED,)
    finally:
        gate.close()
