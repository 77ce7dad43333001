from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_user, logout_user
from sqlalchemy.exc import IntegrityError

from app import db
from app.modules.auth.forms import LoginForm, SignupForm
from app.modules.auth.models import User
from app.modules.profile.models import Profile

blueprint = Blueprint("auth", __name__, template_folder="templates")


@blueprint.route("/login", methods=["GET", "POST"])
def login():
    if current_user.is_authenticated:
        return redirect(url_for("public.index"))

    form = LoginForm()
    if form.validate_on_submit():
        user = User.by_email(form.email.data)
        if user is not None and user.check_password(form.password.data):
            login_user(user, remember=form.remember_me.data)
            return redirect(_local(request.args.get("next")) or url_for("public.index"))
        form.password.errors = ["E-mail or password is wrong."]

    return render_template("auth/login.html", form=form)


@blueprint.route("/signup", methods=["GET", "POST"])
def signup():
    if current_user.is_authenticated:
        return redirect(url_for("public.index"))

    form = SignupForm()
    if form.validate_on_submit():
        user = User(form.email.data, form.password.data)
        user.profile = Profile(name=form.name.data, surname=form.surname.data)
        db.session.add(user)
        try:
            db.session.commit()
        except IntegrityError:
            # The index decides, not a query before it: two people may send the form at once.
            db.session.rollback()
            form.email.errors = ["This address has an account already."]
        else:
            login_user(user)
            flash(f"Welcome, {user.profile.name}.")
            return redirect(url_for("public.index"))

    return render_template("auth/signup.html", form=form)


@blueprint.route("/logout")
def logout():
    logout_user()
    return redirect(url_for("public.index"))


def _local(target: str | None) -> str | None:
    """The target if it stays on this site: a link must not carry people elsewhere after they logged in."""
    if not target or not target.startswith("/") or "\\" in target:
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target
