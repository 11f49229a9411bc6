package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trino.Session;
import io.trino.plugin.memory.MemoryConnectorFactory;
import io.trino.spi.type.ArrayType;
import io.trino.spi.type.MapType;
import io.trino.spi.type.RowType;
import io.trino.spi.type.TimeZoneKey;
import io.trino.spi.type.Type;
import io.trino.testing.LocalQueryRunner;
import io.trino.testing.MaterializedResult;
import io.trino.testing.MaterializedRow;
import io.trino.testing.TestingSession;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Answers statements, a line of JSON each: {"catalog": …, "sql": …} gives {"types": …, "rows": …} or
 * {"error": …}. A value is null, {"array": …}, {"map": …}, {"row": …} or its text, beside it its type.
 */
public final class Oracle {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Oracle() {}

    public static void main(String[] arguments) throws Exception {
        Logger.getLogger("").setLevel(Level.OFF);
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        Session session = TestingSession.testSessionBuilder()
                .setCatalog("own")
                .setSchema("default")
                .setTimeZoneKey(TimeZoneKey.UTC_KEY)
                .build();
        try (LocalQueryRunner runner = LocalQueryRunner.create(session)) {
            runner.registerCatalogFactory(new MemoryConnectorFactory());
            for (String catalog : List.of("own", "dialect")) {
                runner.createCatalog(catalog, "memory", Map.of());
            }
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                JsonNode request = JSON.readTree(line);
                String catalog = request.get("catalog").asText();
                Session of = Session.builder(session).setCatalog(catalog).build();
                out.println(JSON.writeValueAsString(answer(runner, of, request.get("sql").asText())));
            }
        }
        System.exit(0);
    }

    private static ObjectNode answer(LocalQueryRunner runner, Session session, String sql) {
        ObjectNode answer = JsonNodeFactory.instance.objectNode();
        try {
            MaterializedResult result = runner.execute(session, sql);
            List<Type> types = result.getTypes();
            ArrayNode names = answer.putArray("names");
            result.getColumnNames().forEach(names::add);
            ArrayNode shown = answer.putArray("types");
            types.forEach(type -> shown.add(type.getDisplayName()));
            ArrayNode rows = answer.putArray("rows");
            for (MaterializedRow row : result) {
                ArrayNode cells = rows.addArray();
                for (int column = 0; column < types.size(); column++) {
                    cells.add(value(types.get(column), row.getField(column)));
                }
            }
        }
        catch (Throwable failure) {
            answer.removeAll();
            answer.put("error", String.valueOf(failure.getMessage()));
            if (failure instanceof Error) {
                answer.put("error", failure.toString());
            }
        }
        return answer;
    }

    private static JsonNode value(Type type, Object value) {
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        if (value == null) {
            return nodes.nullNode();
        }
        ObjectNode node = nodes.objectNode();
        if (type instanceof ArrayType array) {
            ArrayNode elements = node.putArray("array");
            ((List<?>) value).forEach(e -> elements.add(value(array.getElementType(), e)));
        }
        else if (type instanceof MapType map) {
            ArrayNode entries = node.putArray("map");
            ((Map<?, ?>) value).forEach((k, v) -> entries.addArray()
                    .add(value(map.getKeyType(), k))
                    .add(value(map.getValueType(), v)));
        }
        else if (type instanceof RowType row) {
            ArrayNode members = node.putArray("row");
            List<?> values = (List<?>) value;
            for (int i = 0; i < row.getFields().size(); i++) {
                RowType.Field field = row.getFields().get(i);
                members.addArray()
                        .add(field.getName().map(nodes::textNode).orElse(null))
                        .add(value(field.getType(), values.get(i)));
            }
        }
        else {
            node.put("type", type.getBaseName());
            node.put("text", value instanceof io.trino.spi.type.SqlVarbinary bytes
                    ? HexFormat.of().formatHex(bytes.getBytes())
                    : value.toString());
        }
        return node;
    }
}
