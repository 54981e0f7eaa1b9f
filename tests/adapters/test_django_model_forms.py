"""The form of a row: made from its model, on the Django ORM."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, ClassVar

import pytest
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import override
from msgspec import Meta

from component_framework import Engine, Input, Registry
from component_framework.adapters.django.models import ModelComponent
from component_framework.adapters.django.rendering import DjangoRenderer
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.testing import Page, mount

from .shop.models import Article, Customer, Review, Tag

pytestmark = pytest.mark.django_db

FIELDS = ("slug", "title", "contact", "body", "kind", "pages", "published", "editor", "tags")


class Desk(ModelComponent):
    template = "<div>{{ form }}<p>{{ changed_fields }}</p></div>"
    model = Article
    fields = FIELDS
    version_field = "version"

    def get_related(self, name: str) -> QuerySet[Any]:
        return super().get_related(name).filter(seller="ada")

    def on_rename(self, title: str) -> None:
        self.title = title


class ReviewDesk(ModelComponent):
    template = "<div>{{ form }}</div>"
    model = Review
    fields: ClassVar[Any] = ("title", "stars")
    version_field = "version"


class Narrow(ModelComponent):
    template = "<div>{{ form }}</div>"
    model = Article
    fields = ("slug", "title", "pages")
    may_create = True
    title: Annotated[str, Meta(max_length=5), Input(label="Short title")]


@pytest.fixture
def article() -> Article:
    ada = Customer.objects.create(name="Grace", seller="ada")
    tags = [Tag.objects.create(name=name) for name in ("news", "offers")]
    at = datetime.datetime(2026, 7, 2, 8, 30, 5, 123456, tzinfo=datetime.UTC)
    made = Article.objects.create(slug="one", title="One", published=at, editor=ada, pages=3)
    made.tags.add(tags[0])
    return made


def engine(renderer: Any = None) -> Engine:
    registry = Registry()
    for cls in (Desk, ReviewDesk, Narrow):
        registry.register(cls.__name__.lower())(cls)
    renderer = renderer or DjangoRenderer()
    return Engine(renderer=renderer, secret_key="k", registry=registry, clock=lambda: 0, new_id=lambda: "c", debug=True)


def desk(article: Article, name: str = "desk") -> Page:
    return mount(name, engine=engine(), pk=article.pk)


def test_a_row_s_form_is_made_from_its_model(article: Article) -> None:
    with override("de"), timezone.override("Europe/Amsterdam"):
        page = desk(article)
        assert page.texts("label")[:2] == ["Slug *", "E-Mail-Adresse *"]
        assert page.text(".cf-help") == "As it is printed."
        assert page.has("[name=slug][maxlength='20'][required]")
        assert page.has("[name=contact][type=email]:not([required])")
        assert page.has("textarea[name=body]")
        assert page.texts("[name=kind] option") == ["A short one", "A long one"]
        assert (page.value("[name=kind]"), page.value("[name=pages]")) == ("1", "3")
        assert page.value("[name=published]") == "2026-07-02T10:30:05.123"
        assert page.texts("[name=editor] option") == ["", "Grace"]
        assert page.value("[name=editor]") == str(article.editor.pk)
        assert page.texts("[name=tags][multiple] option") == ["news", "offers"]
        assert page.texts("[name=tags] option[selected]") == ["news"]


def test_it_looks_the_same_in_jinja(article: Article) -> None:
    markup = {engine(renderer).mount("desk", pk=article.pk) for renderer in (DjangoRenderer(), JinjaRenderer())}
    assert len(markup) == 1


def test_what_was_not_touched_is_not_written(article: Article) -> None:
    page = desk(article).submit()
    assert page.status == 200
    article.refresh_from_db()
    assert (article.version, article.published.microsecond) == (1, 123456)  # type: ignore[union-attr]  # it has one


def test_every_kind_of_field_is_saved(article: Article) -> None:
    grace = Customer.objects.create(name="Eve", seller="ada")
    offers = Tag.objects.get(name="offers")
    with timezone.override("Europe/Amsterdam"):
        page = desk(article)
        page.fill(slug="two", title="Two", contact="a@b.nl", body="two\nlines", kind="2", pages="")
        page.fill(published="2026-07-03T10:00", editor=str(grace.pk), tags=[str(offers.pk)]).submit()
    assert page.texts(".cf-errors p") == []
    article.refresh_from_db()
    assert (article.slug, article.title, article.contact, article.body) == ("two", "Two", "a@b.nl", "two\nlines")
    assert (article.kind, article.pages, article.editor, article.version) == (2, None, grace, 2)
    assert article.published == datetime.datetime(2026, 7, 3, 8, tzinfo=datetime.UTC)
    assert [tag.name for tag in article.tags.all()] == ["offers"]


def test_relations_can_be_emptied(article: Article) -> None:
    page = desk(article).fill(tags=[], editor="", published="").submit()
    assert page.status == 200
    article.refresh_from_db()
    assert (article.editor, article.published, article.tags.count()) == (None, None, 0)


def test_all_that_is_wrong_is_told_at_once_and_stays_in_the_inputs(article: Article) -> None:
    Article.objects.create(slug="taken", title="x")
    page = desk(article).fill(pages="many", published="soon").submit()
    assert page.texts(".cf-errors p") == ["Enter a whole number.", "Enter a date and a time."]
    assert (page.value("[name=pages]"), page.has("[name=pages][autofocus]")) == ("many", True)
    page.fill(slug="taken", title="", contact="x", pages="1", published="").submit()
    assert page.texts(".cf-errors p") == [
        "Article with this Slug already exists.",
        "This field cannot be blank.",
        "Enter a valid email address.",
    ]
    article.refresh_from_db()
    assert article.title == "One"


@pytest.mark.parametrize("field", ["editor", "tags"])
def test_what_belongs_to_somebody_else_can_neither_be_seen_nor_chosen(article: Article, field: str) -> None:
    maker = Customer.objects if field == "editor" else Tag.objects
    theirs: Any = maker.create(name="theirs", seller="eve")
    page = desk(article)
    assert "theirs" not in page.texts("option")
    page.send("save", **{field: theirs.pk if field == "editor" else [theirs.pk]})
    assert (page.status, page.texts(".cf-errors p")) == (422, ["This cannot be chosen here."])
    article.refresh_from_db()
    assert article.editor.name == "Grace"
    assert [tag.name for tag in article.tags.all()] == ["news"]


def test_a_save_that_comes_too_late_keeps_what_was_typed_and_shows_the_other_value(article: Article) -> None:
    mine, theirs = desk(article), desk(article)
    theirs.fill(title="Theirs").submit()
    mine.fill(title="Mine", pages="7").submit()
    assert (mine.status, mine.value("[name=title]"), mine.value("[name=pages]")) == (409, "Mine", "7")
    assert mine.texts(".cf-errors p") == ["In the meantime this became: Theirs"]
    mine.submit()
    article.refresh_from_db()
    assert (article.title, article.pages) == ("Mine", 7)


def test_the_form_shows_what_another_event_changed_and_keeps_the_rest(article: Article) -> None:
    page = desk(article).fill(slug="typed")
    page.send("rename", title="Renamed")
    assert page.value("[name=title]") == "Renamed"


def test_a_field_is_checked_when_it_is_left(article: Article) -> None:
    page = desk(article).fill(pages="x", published="y").trigger("[name=pages]", "change")
    assert page.texts(".cf-errors p") == ["Enter a whole number."]


def test_a_model_that_inherits_saves_to_the_tables_that_changed_under_one_version() -> None:
    review: Any = Review.objects.create(slug="r", title="R")
    mine, theirs = desk(review, "reviewdesk"), desk(review, "reviewdesk")
    theirs.fill(stars="5", title="S").submit()
    assert theirs.status == 200
    assert mine.fill(stars="1").submit().status == 409
    review.refresh_from_db()
    assert (review.stars, review.title, review.version) == (5, "S", 2)


def test_an_annotation_of_the_class_says_it_otherwise_and_a_new_row_begins_with_the_model_s_defaults() -> None:
    page = mount("narrow", engine=engine())
    assert page.has("[name=title][maxlength='5'][required]")
    assert page.texts("label")[1] == "Short title *"
    assert page.fill(title="Long title").submit().status == 422
    page.fill(title="Short", slug="s").submit()
    assert (page.status, Article.objects.get().title) == (200, "Short")


def test_a_row_with_relations_costs_a_query_for_each_that_is_shown(
    article: Article, django_assert_num_queries: Any
) -> None:
    page = desk(article).fill(title="Two")
    with django_assert_num_queries(7) as queries:
        page.submit()
    asked = [query["sql"].split()[0] for query in queries.captured_queries]
    # the row and its tags; the save in its savepoint; the options of both relations
    assert asked == ["SELECT", "SELECT", "SAVEPOINT", "UPDATE", "RELEASE", "SELECT", "SELECT"]
