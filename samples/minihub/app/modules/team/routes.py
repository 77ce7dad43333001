from flask import Blueprint, render_template

blueprint = Blueprint("team", __name__, template_folder="templates")


@blueprint.get("/team")
def index():
    return render_template("team/index.html")
