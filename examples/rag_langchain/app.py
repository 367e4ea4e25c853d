"""Answers a question from notes with a chain of LangChain: search, prompt, answer, parsing."""

from __future__ import annotations

from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from opentelemetry_instrumentation_genai import invoke_workflow, retrieval, step

MODEL = "gpt-4.1-mini"
EMBEDDINGS = "text-embedding-3-small"
NOTES = {
    "trains": "The night train to Madrid no longer runs.",
    "pastry": "Pastry at the bakery near the river is best before nine.",
    "tram": "Tickets for the tram are cheaper from the machine than from the driver.",
}
# Without the check it sends texts; with it, numbers of a tokenizer that it downloads.
store = InMemoryVectorStore(OpenAIEmbeddings(model=EMBEDDINGS, check_embedding_ctx_length=False))
prompt = ChatPromptTemplate.from_messages(
    [("system", "Answer from these notes alone.\n{notes}"), ("human", "{question}")]
)


@step("index")
def index() -> None:
    """Put the notes into the store."""
    store.add_documents([Document(text, id=name) for name, text in NOTES.items()])


def search(question: str) -> str:
    """Find the notes that are closest in meaning to a question."""
    with retrieval("notes", query=question, top_k=2) as run:
        found = store.similarity_search_with_score(question, k=2)
        run.set_result([{"id": note.id, "score": score, "content": note.page_content} for note, score in found])
    return "\n".join(note.page_content for note, _ in found)


chain = (
    {"notes": RunnableLambda(search), "question": RunnablePassthrough()}
    | prompt
    | ChatOpenAI(model=MODEL)
    | StrOutputParser()
)


@invoke_workflow("answer from notes")
def answer(question: str) -> str:
    """Answer a question."""
    return chain.invoke(question)


if __name__ == "__main__":
    index()
    print(answer("Where is the best pastry?"))
