"""The views of tinytrail.bench.rivals, and their URLconf."""

from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

# Without it, and without Django's CommonMiddleware, answers would come in chunks.
LENGTH = {"Content-Length": "21"}


class Taken(models.Model):
    """A table like that of events, as one would write it with the ORM."""

    website_id = models.UUIDField()
    event_type = models.CharField(max_length=64)
    url = models.TextField()
    path = models.TextField()
    referrer = models.TextField(default="")
    screen_width = models.FloatField(null=True)
    screen_height = models.FloatField(null=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "rival_views"
        db_table = "bench_taken"

    def __str__(self) -> str:
        return self.path


class TakenSerializer(serializers.ModelSerializer[Taken]):
    class Meta:
        model = Taken
        fields = ("website_id", "event_type", "url", "path", "referrer", "screen_width", "screen_height")


class TakeView(APIView):
    def post(self, request: Request) -> Response:
        serializer = TakenSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response({"status": "accepted"}, status=202, headers=LENGTH)


@csrf_exempt
def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b'{"status":"accepted"}', status=202, content_type="application/json", headers=LENGTH)


urlpatterns: list[Any] = [path("empty", empty), path("drf", TakeView.as_view())]
