"""What is wrong with the form of a command or with the settings, as the person who filled it in reads it."""

from pydantic import BaseModel, SecretStr, ValidationError

from policies.errors import Refused
from policies.faults import reason_of
from rules.masking import mask_text
from runtime.settings import Settings


def refusal_of(error: ValidationError, model: type[BaseModel]) -> Refused:
    """
    Return every fault of a filled-in command as one refusal, each with the field's Chinese title and its value.

    Args:
        model: the command; its titles name the fields.
    """
    return Refused("表单填写要求", ";".join(faults_of(error, model)))


def is_of_settings(error: ValidationError) -> bool:
    """Whether it is a setting that is wrong, and nobody's form."""
    return error.title == Settings.__name__


def faulty_settings(error: ValidationError) -> str:
    """Return every fault of the settings in one sentence: by the names they are set by, with the value of no secret."""
    faults = []
    for found in error.errors(include_url=False):
        name, value = str(found["loc"][0]) if found["loc"] else "", found.get("input")
        field = Settings.model_fields.get(name)
        hidden = field is None or field.annotation is SecretStr or name.endswith("_url")
        prefix = str(Settings.model_config["env_prefix"])
        faults.append(f"{prefix}{name.upper()} {reason_of(found)}{'' if hidden else f'(现值:{value})'}")
    return f"设置有误:{';'.join(faults)}。请在 .env 文件或环境变量里改正"


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return every fault of a filled-in command, one Chinese sentence each; see `refusal_of`."""
    faults = []
    for found in error.errors(include_url=False):
        loc, value = found["loc"], found.get("input")
        shown = "" if found["type"] == "missing" or isinstance(value, dict | list) else f"(现值:{value})"
        if "勿填写" in reason_of(found):
            shown = ""  # it must not appear again in the message that refuses it
        # Another fault may be found first, and its message is kept and shown in the next form.
        faults.append(mask_text(f"“{_title(model, loc)}”{reason_of(found)}{shown}"))
    return faults


def _title(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    if not loc:
        return "表单"
    field = model.model_fields.get(str(loc[0]))
    title = (field.title if field else None) or str(loc[0])
    return title + "".join(f"第{part + 1}项" for part in loc[1:] if isinstance(part, int))
