from flask import Blueprint, render_template, request
from flask_login import current_user, login_required

from app.modules.featuremodel import services

blueprint = Blueprint("profile", __name__, template_folder="templates")


@blueprint.get("/profile")
@login_required
def summary():
    return render_template("profile/summary.html", models=services.list_models(user_id=current_user.id, page=request.args.get("page", 1, type=int)))
