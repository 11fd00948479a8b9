"""What the flow knows of a case: the application in the process, signatures, history and letters in tables."""

from django.db import models
from viewflow import jsonstore
from viewflow.workflow.models import Process


class SiteProcess(Process):
    """An application; its fields stand in the process's JSON, as viewflow's guide does it."""

    number = jsonstore.CharField(max_length=20)
    household = jsonstore.CharField(max_length=40)
    leader = jsonstore.CharField(max_length=40)
    leader_source = jsonstore.CharField(max_length=40)
    recommended_by = jsonstore.CharField(max_length=40)
    volunteers = jsonstore.IntegerField()
    area = jsonstore.CharField(max_length=10)
    facilities = jsonstore.CharField(max_length=200)
    confirmations = jsonstore.CharField(max_length=200)
    speciality = jsonstore.CharField(max_length=40)
    agrees = jsonstore.BooleanField()
    verdicts = jsonstore.CharField(max_length=200)

    class Meta:
        """No table of its own."""

        proxy = True


class Signature(models.Model):
    """A household agrees."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE)
    household = models.CharField(max_length=40)
    signed_at = models.DateTimeField()

    class Meta:
        """Once each."""

        unique_together = (("process", "household"),)


class History(models.Model):
    """What happened."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE)
    at = models.DateTimeField()
    actor = models.CharField(max_length=40)
    what = models.TextField()


class Letter(models.Model):
    """A letter that waits for the post."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE)
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=300)
    body = models.TextField()
    html = models.TextField()
    sent_at = models.DateTimeField(null=True)
