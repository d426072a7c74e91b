using Microsoft.AspNetCore.Http;

namespace Tessera.Server.Wire;

/// <summary>Refuses a request in OpenAI's terms.</summary>
internal sealed class ApiError(int status, string message, string type, string? param, string? code)
    : Exception(message)
{
    private const string InvalidRequest = "invalid_request_error";

    public int Status { get; } = status;

    public string Type { get; } = type;

    /// <summary>Gets the name of the field that is wrong.</summary>
    public string? Param { get; } = param;

    public string? Code { get; } = code;

    public ErrorBody Body => new(new ErrorDetail(Message, Type, Param, Code));

    public static ApiError Invalid(string? param, string message, string? code = null) =>
        new(StatusCodes.Status400BadRequest, message, InvalidRequest, param, code);

    public static ApiError NotJson(string reason) => Invalid(
        null, $"We could not parse the JSON body of your request: {reason} The body must be one JSON object.");

    public static ApiError WrongType(string param, string wanted, string came) => Invalid(
        param, $"Invalid type for '{param}': expected {wanted}, but got {came} instead.", "invalid_type");

    public static ApiError WrongValue(string param, string wanted, string came) => Invalid(
        param, $"Invalid value for '{param}': expected {wanted}, but got {came} instead.", "invalid_value");

    public static ApiError Missing(string param) => Invalid(
        param, $"Missing required parameter: '{param}'.", "missing_required_parameter");

    // Clients look for this very text and send the request again without the field.
    public static ApiError Unknown(string param) => Invalid(
        param, $"Unrecognized request argument supplied: {param}", "unknown_parameter");

    public static ApiError NotOffered(string param, string what) => Invalid(
        param, $"Unsupported value: '{param}' asks for {what}, which this model does not offer.", "unsupported_value");

    // Clients read both numbers out of this text.
    public static ApiError ContextLength(int promptTokens, int contextLength) => Invalid(
        "messages",
        $"This model's maximum context length is {contextLength} tokens. However, your messages resulted in "
            + $"{promptTokens} tokens. Please reduce the length of the messages.",
        "context_length_exceeded");

    public static ApiError NoModel(string model) => new(
        StatusCodes.Status404NotFound,
        $"The model `{model}` does not exist or you do not have access to it.",
        InvalidRequest,
        null,
        "model_not_found");

    public static ApiError NoKey() => new(
        StatusCodes.Status401Unauthorized,
        "You didn't provide an API key. Provide it in an Authorization header using Bearer auth (i.e. Authorization: "
            + "Bearer YOUR_KEY).",
        InvalidRequest,
        null,
        null);

    public static ApiError WrongKey(string maskedKey) => new(
        StatusCodes.Status401Unauthorized,
        $"Incorrect API key provided: {maskedKey}.",
        InvalidRequest,
        null,
        "invalid_api_key");

    public static ApiError NoRoute(string method, string path) => new(
        StatusCodes.Status404NotFound,
        $"Invalid URL ({method} {path})",
        InvalidRequest,
        null,
        "unknown_url");

    public static ApiError WrongMethod(string method, string path) => new(
        StatusCodes.Status405MethodNotAllowed,
        $"Not allowed to {method} on {path}.",
        InvalidRequest,
        null,
        "method_not_supported");

    public static ApiError TooLarge(long limit) => new(
        StatusCodes.Status413PayloadTooLarge,
        $"The request is larger than {limit} bytes. Please send fewer or shorter messages.",
        InvalidRequest,
        null,
        "request_too_large");

    public static ApiError Busy() => new(
        StatusCodes.Status503ServiceUnavailable,
        "The engine is currently overloaded, please try again later.",
        "server_error",
        null,
        "overloaded");

    public static ApiError Failed() => new(
        StatusCodes.Status500InternalServerError,
        "The server had an error while processing your request. The server's log says more.",
        "server_error",
        null,
        null);
}
