from flask_wtf import FlaskForm
from flask_wtf.file import FileAllowed, FileField, FileRequired
from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, Length


class UploadForm(FlaskForm):
    title = StringField("Title", validators=[DataRequired(), Length(max=120)])
    description = TextAreaField("Description", validators=[DataRequired(), Length(max=5000)])
    tags = StringField("Tags, separated by commas", validators=[Length(max=120)])
    file = FileField("UVL file", validators=[FileRequired(), FileAllowed(["uvl"], "A file that ends in .uvl, please.")])
