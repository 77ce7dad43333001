from flask import Blueprint, render_template, request

from app.modules.featuremodel import services

blueprint = Blueprint("public", __name__, template_folder="templates")


@blueprint.get("/")
def index():
    query = request.args.get("q", "").strip()
    tag = request.args.get("tag", "").strip()
    return render_template(
        "public/index.html",
        models=services.list_models(query=query, tag=tag, page=request.args.get("page", 1, type=int)),
        totals=services.totals(),
        tags=services.list_tags(),
        query=query,
        tag=tag,
    )
