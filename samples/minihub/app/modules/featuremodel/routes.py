import os

from flask import Blueprint, Response, flash, redirect, render_template, send_file, url_for
from flask_login import current_user, login_required

from app import db
from app.modules.featuremodel import services, uvl
from app.modules.featuremodel.forms import UploadForm
from app.modules.featuremodel.models import FeatureModel

blueprint = Blueprint("featuremodel", __name__, template_folder="templates")


@blueprint.get("/featuremodel/<int:model_id>")
def view(model_id: int):
    model = db.get_or_404(FeatureModel, model_id)
    return render_template("featuremodel/view.html", model=model, parsed=uvl.parse(model.uvl), downloads=services.count_downloads(model))


@blueprint.get("/featuremodel/<int:model_id>/download")
def download(model_id: int):
    model = db.get_or_404(FeatureModel, model_id)
    services.record_download(model, current_user.id if current_user.is_authenticated else None)
    path = services.stored_path(model.checksum)
    if os.path.exists(path):
        return send_file(path, mimetype="text/plain", as_attachment=True, download_name=model.filename)

    # The row can outlive the file: a database that was restored elsewhere still gives its models out.
    return Response(
        model.uvl, mimetype="text/plain", headers={"Content-Disposition": f'attachment; filename="{model.filename}"'}
    )


@blueprint.route("/featuremodel/upload", methods=["GET", "POST"])
@login_required
def upload():
    form = UploadForm()
    if form.validate_on_submit():
        file = form.file.data
        try:
            model = services.add_model(
                current_user, form.title.data, form.description.data, form.tags.data or "", file.filename, file.read()
            )
        except uvl.UvlError as error:
            form.file.errors = [f"This is no UVL: {error}."]
        else:
            db.session.commit()
            flash("Uploaded.")
            return redirect(url_for("featuremodel.view", model_id=model.id))

    return render_template("featuremodel/upload.html", form=form)
